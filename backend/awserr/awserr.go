// Package awserr says why a call to AWS failed, in terms the engine acts on.
//
// awsclient makes an [Error] of every failed call. Callers ask for its cause
// with errors.Is(err, awserr.NotFound), whether AWS acted at all with
// [Refused], and what a person can do about it with [Remedy].
package awserr

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
)

// Kind is a coarse cause. A kind exists only where some caller acts on it;
// everything else is Unknown. It is an error so that it can be the target of
// errors.Is.
type Kind string

// The kinds, each with what it says of the call.
const (
	NotFound    Kind = "not found"          // absent, or created too recently to be visible
	Exists      Kind = "already exists"     // the name is taken, perhaps not by us
	InUse       Kind = "in use"             // something still hangs on the entity
	Limit       Kind = "limit exceeded"     // an account quota; retrying does not help
	Denied      Kind = "access denied"      // a policy, a trust policy or the signature stands against the call
	Invalid     Kind = "invalid input"      // the role, the configuration or the request is at fault
	Throttled   Kind = "throttled"          // retry later
	Busy        Kind = "busy"               // AWS is still changing the entity; refused, and we retry
	UnknownKey  Kind = "unknown access key" // the signing key is wrong, inactive, or not yet visible
	Expired     Kind = "expired"            // the signing session or the signature ran out
	Unavailable Kind = "unavailable"        // AWS or the network failed; effect unknown
	Unknown     Kind = "unclassified"       // effect unknown
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// Error is one failed call to AWS.
//
// Code, Message and RequestID are what the endpoint sent, unchecked: they leave
// this package only through the Error method, which cleans them.
type Error struct {
	Op        string // service and action as IAM policies write them: "iam:CreateUser"
	Kind      Kind
	Code      string // AWS's error code; "" if no AWS error came back
	Message   string
	RequestID string
	Status    int   // HTTP status; 0 if no reply came
	Cause     error // what the SDK returned; may quote bodies, so it is never printed as it is
}

// Error is AWS's code and message in one piece, then the action and request id:
//
//	EntityAlreadyExists: User with name x already exists. (iam:CreateUser, request id 7a62)
//
// or, if no AWS error came back, the action and a safe word on what happened:
//
//	iam:CreateUser: connection refused (127.0.0.1:443)
func (e *Error) Error() string {
	if e.Code == "" {
		return cmp.Or(e.Op, "call AWS") + ": " + e.withoutCode()
	}
	text := clean(e.Code, maxID)
	if message := e.shownMessage(); message != "" {
		text += ": " + message
	}
	return text + e.source()
}

// source is the parenthesis that ends the text: which action, which request.
func (e *Error) source() string {
	var parts []string
	if e.Op != "" {
		parts = append(parts, e.Op)
	}
	if id := clean(e.RequestID, maxID); id != "" {
		parts = append(parts, "request id "+id)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// shownMessage is AWS's message, made safe to show.
//
// When AWS rejects a signature its message repeats the string it signed, which
// holds the signed headers and with them the session token.
func (e *Error) shownMessage() string {
	switch e.Code {
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature":
		return "AWS rejected the signature: secret_key does not belong to access_key, or the clock of this server is off"
	default:
		return clean(e.Message, maxMessage)
	}
}

// Is makes errors.Is(err, kind) true for the error's kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap returns the cause, so that a cancelled context can be told.
func (e *Error) Unwrap() error { return e.Cause }

// NoCredentials is the code, of ours and not of AWS, for a call that was not
// sent because there are no credentials to sign it with.
const NoCredentials = "NoCredentials"

// NoIdentityToken is the code, of ours too, for credentials that cannot be had
// because Vault issues no identity token.
const NoIdentityToken = "NoIdentityToken"

// TooManyCalls is the code, of ours too, for a call that was not sent because AWS
// would throttle it: what waits before it takes too long.
const TooManyCalls = "TooManyCalls"

// Refused reports whether AWS turned the call down without acting on it. When
// it is false the call may have taken effect and its journal entry must stay.
func Refused(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case Denied, Invalid, Limit, Throttled, Exists, InUse, Busy, UnknownKey, Expired, NotFound:
		return true
	default: // Unavailable, Unknown
		return false
	}
}

// kinds maps AWS's wire codes to causes: those of the IAM and STS API
// references, their common errors, and the throttling codes the SDK knows.
// A code that nothing acts on stays out.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var kinds = map[string]Kind{
	"NoSuchEntity":        NotFound,
	"EntityAlreadyExists": Exists,
	"DeleteConflict":      InUse,
	"LimitExceeded":       Limit,

	"AccessDenied":                        Denied,
	"AccessDeniedException":               Denied,
	"UnauthorizedOperation":               Denied,
	"NotAuthorized":                       Denied,
	"AuthFailure":                         Denied,
	"OptInRequired":                       Denied,
	"SignatureDoesNotMatch":               Denied,
	"InvalidSignatureException":           Denied,
	"IncompleteSignature":                 Denied,
	"MissingAuthenticationToken":          Denied,
	"MissingAuthenticationTokenException": Denied,

	"InvalidClientTokenId":        UnknownKey,
	"UnrecognizedClientException": UnknownKey,
	"InvalidAccessKeyId":          UnknownKey, // S3's word for it, used by MinIO

	"ExpiredToken":          Expired,
	"ExpiredTokenException": Expired,
	"RequestExpired":        Expired,

	"InvalidInput":                Invalid,
	"ValidationError":             Invalid,
	"ValidationException":         Invalid,
	"MalformedPolicyDocument":     Invalid,
	"PackedPolicyTooLarge":        Invalid,
	"PolicyNotAttachable":         Invalid,
	"UnmodifiableEntity":          Invalid,
	"RegionDisabledException":     Invalid, // 403, but what must change is the configured region
	"InvalidAction":               Invalid,
	"InvalidParameterCombination": Invalid,
	"InvalidParameterValue":       Invalid,
	"MissingParameter":            Invalid,

	"ConcurrentModification":        Busy,
	"EntityTemporarilyUnmodifiable": Busy,

	"Throttling":                Throttled,
	"ThrottlingException":       Throttled,
	"ThrottledException":        Throttled,
	"RequestThrottled":          Throttled,
	"RequestThrottledException": Throttled,
	"RequestLimitExceeded":      Throttled,
	"TooManyRequestsException":  Throttled,
	"SlowDown":                  Throttled,
	"PriorRequestNotComplete":   Throttled,
	"BandwidthLimitExceeded":    Throttled,

	"ServiceFailure":          Unavailable,
	"InternalFailure":         Unavailable,
	"InternalError":           Unavailable,
	"ServiceUnavailable":      Unavailable,
	"RequestTimeout":          Unavailable,
	"RequestTimeoutException": Unavailable,
}

// Known reports whether a code is one of those above.
func Known(code string) bool {
	_, known := kinds[code]
	return known
}

// KindOf is the cause that AWS's error code and the HTTP status stand for.
//
// A 5xx is no refusal whatever its code, except when AWS throttles with it:
// what fails inside AWS may have taken effect. Nor is a success that could not be
// read: it was cut off on its way, or is none of AWS's.
func KindOf(code string, status int) Kind {
	kind, known := kinds[code]
	switch {
	case kind == Throttled, status == http.StatusTooManyRequests:
		return Throttled
	case status >= http.StatusInternalServerError, code == "" && status/100 == 2:
		return Unavailable
	case known:
		return kind
	default:
		return Unknown
	}
}
