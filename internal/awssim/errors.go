package awssim

import (
	"fmt"
	"net/http"
)

// apiError is an answer that refuses: code and status as botocore's models
// have them, or the common errors of
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// fault names the side that AWS blames.
func (e *apiError) fault() string {
	if e.status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

func refuse(code string, status int, format string, args ...any) *apiError {
	return &apiError{code, status, fmt.Sprintf(format, args...)}
}

func validationError(format string, args ...any) *apiError {
	return refuse("ValidationError", http.StatusBadRequest, format, args...)
}

func noSuchEntity(format string, args ...any) *apiError {
	return refuse("NoSuchEntity", http.StatusNotFound, format, args...)
}

// cannotFind words the absence of a named thing as IAM does.
func cannotFind(kind, name string) *apiError {
	return noSuchEntity("The %s with name %s cannot be found.", kind, name)
}

func alreadyExists(format string, args ...any) *apiError {
	return refuse("EntityAlreadyExists", http.StatusConflict, format, args...)
}

func limitExceeded(format string, args ...any) *apiError {
	return refuse("LimitExceeded", http.StatusConflict, format, args...)
}

func deleteConflict(what string) *apiError {
	return refuse("DeleteConflict", http.StatusConflict, "Cannot delete entity, must %s.", what)
}

func malformedPolicy(format string, args ...any) *apiError {
	return refuse("MalformedPolicyDocument", http.StatusBadRequest, format, args...)
}

func invalidInput(format string, args ...any) *apiError {
	return refuse("InvalidInput", http.StatusBadRequest, format, args...)
}

func accessDenied(format string, args ...any) *apiError {
	return refuse("AccessDenied", http.StatusForbidden, format, args...)
}

func throttled() *apiError {
	return refuse("Throttling", http.StatusBadRequest, "Rate exceeded")
}

func invalidToken() *apiError {
	return refuse("InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid.")
}

func invalidAction(action, version string) *apiError {
	return refuse("InvalidAction", http.StatusBadRequest, "Could not find operation %s for version %s", action, version)
}
