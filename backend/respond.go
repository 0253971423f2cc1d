package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// operation makes a path operation of a handler that returns plain errors.
func operation(handle framework.OperationFunc, summary string) *framework.PathOperation {
	return &framework.PathOperation{
		Summary: summary,
		Callback: func(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
			resp, err := handle(ctx, req, d)
			if err != nil {
				return respond(err)
			}
			return visible(resp, d), nil
		},
	}
}

// visible gives a write without an answer one if it sent fields that the path
// does not know: the framework's warning about them needs an answer to ride in.
func visible(resp *logical.Response, d *framework.FieldData) *logical.Response {
	if resp != nil || len(unknownFields(d)) == 0 {
		return resp
	}
	return &logical.Response{}
}

func unknownFields(d *framework.FieldData) (unknown []string) {
	for field := range d.Raw {
		if d.Schema[field] == nil {
			unknown = append(unknown, field)
		}
	}
	sort.Strings(unknown)
	return unknown
}

// invalidError is a request or a role at fault. Its text names the field, what
// is wrong with the value, and the remedy.
type invalidError struct{ text string }

func (e *invalidError) Error() string { return e.text }

func invalid(format string, args ...any) error {
	return &invalidError{text: fmt.Sprintf(format, args...)}
}

// respond is the one place where our errors become Vault answers:
//
//	invalidError                      400  the text
//	lifecycle.CapError                429  a limit of our own
//	draining, restored, not yet seen  503  what to wait for
//	errTooLate                        503  retry
//	awserr.Throttled                  502  "upstream rate limited"; retry
//	awserr.Unavailable, awserr.Busy,
//	our deadline                      503  retry
//	any other refusal of AWS          400  AWS's words, and what to do
//	a node that may not write         as Vault's own error: it forwards the request
//	anything else                     500  logged by Vault
//
// A coded error is returned as it is: wrapped, it would lose its code on the
// way out of the plugin process, where only code and text survive.
func respond(err error) (*logical.Response, error) {
	var refused *invalidError
	var call *awserr.Error
	var capped *lifecycle.CapError
	switch {
	case errors.As(err, &refused):
		return logical.ErrorResponse(refused.text), nil
	case errors.As(err, &capped):
		return nil, logical.CodedError(http.StatusTooManyRequests, capped.Error())
	case notNow(err):
		return nil, logical.CodedError(http.StatusServiceUnavailable, err.Error())
	case readOnly(err):
		return nil, logical.ErrReadOnly
	case errors.Is(err, awserr.Throttled):
		return nil, logical.CodedError(http.StatusBadGateway, explain(err)+" (upstream rate limited)")
	case isUnavailable(err):
		return nil, logical.CodedError(http.StatusServiceUnavailable, explain(err))
	case errors.As(err, &call):
		return logical.ErrorResponse(explain(err)), nil
	default:
		return nil, err
	}
}

// isUnavailable reports whether the same request may succeed later: AWS or the
// network is out of order, our time ran out, or AWS is still changing the entity.
func isUnavailable(err error) bool {
	return errors.Is(err, awserr.Unavailable) || errors.Is(err, awserr.Busy) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// notNow reports whether an error says what to wait for.
func notNow(err error) bool {
	return errors.Is(err, lifecycle.ErrDraining) || errors.Is(err, lifecycle.ErrRestored) || errors.Is(err, lifecycle.ErrUnseen) ||
		errors.Is(err, errNotYet) || errors.Is(err, errTooLate)
}

// readOnly reports whether storage refused a write because this node may not
// write. The error has crossed a process boundary, so only its text is left.
func readOnly(err error) bool {
	return errors.Is(err, logical.ErrReadOnly) || strings.Contains(err.Error(), logical.ErrReadOnly.Error())
}

// leads begin the error texts by what failed: those of issuing as in the built-in
// engine, since runbooks match them. docs/errors.md lists what comes after.
var leads = map[string]string{
	"iam:CreateUser":         "Error creating IAM user: ",
	"iam:AttachUserPolicy":   "Error attaching user policy: ",
	"iam:PutUserPolicy":      "Error putting user policy: ",
	"iam:AddUserToGroup":     "Error adding user to group: ",
	"iam:TagUser":            "Error adding tags to user: ",
	"iam:CreateAccessKey":    "Error creating access keys: ",
	"sts:AssumeRole":         "Error assuming role: ",
	"sts:GetFederationToken": "Error generating STS keys: ",
	"sts:GetSessionToken":    "Error generating STS keys: ",

	"iam:GetUser":                   "Error looking up IAM user: ",
	"iam:ListAccessKeys":            "Error listing access keys: ",
	"iam:UpdateAccessKey":           "Error deactivating access key: ",
	"iam:DeleteAccessKey":           "Error deleting access key: ",
	"iam:ListAttachedGroupPolicies": "Error reading group policies: ",
	"iam:ListGroupPolicies":         "Error reading group policies: ",
	"iam:GetGroupPolicy":            "Error reading group policies: ",
	"sts:AssumeRoleWithWebIdentity": "Error exchanging identity token: ",
}

// tooLong is what to do about our own deadline.
const tooLong = "The request took longer than it may: try again."

// explain says what failed, in AWS's words, and what to do about it.
func explain(err error) string {
	var call *awserr.Error
	switch {
	case !errors.As(err, &call) && errors.Is(err, context.DeadlineExceeded):
		return err.Error() + ". " + tooLong
	case call == nil:
		return err.Error()
	}
	text := leads[call.Op] + call.Error()
	if remedy := awserr.Remedy(err); remedy != "" {
		text += ". " + remedy
	}
	return text
}
