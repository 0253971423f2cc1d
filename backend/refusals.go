package backend

import (
	"cmp"
	"errors"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// Why a request for a credential is refused, as it is counted and logged.
const (
	refusedInvalid     = "invalid"     // the request, the role or the configuration
	refusedCap         = "cap"         // max_users
	refusedNotNow      = "not_now"     // draining, restored, not yet seen, too late
	refusedThrottled   = "throttled"   // AWS, or the governor for it
	refusedUnavailable = "unavailable" // AWS, the network, our deadline, or an entity that AWS is still changing
	refusedByAWS       = "aws"         // any other refusal of AWS
	refusedInternal    = "internal"    // storage, or a mistake of ours
)

var refusalReasons = []string{refusedInvalid, refusedCap, refusedNotNow, refusedThrottled, refusedUnavailable, refusedByAWS, refusedInternal}

// unknownType is the credential type of a request that did not get as far.
const unknownType store.CredentialType = "unknown"

// reasonOf is why an error refuses, in the order in which respond looks.
func reasonOf(err error) string {
	var refused *invalidError
	var capped *lifecycle.CapError
	var call *awserr.Error
	switch {
	case errors.As(err, &refused):
		return refusedInvalid
	case errors.As(err, &capped):
		return refusedCap
	case notNow(err):
		return refusedNotNow
	case errors.Is(err, awserr.Throttled):
		return refusedThrottled
	case isUnavailable(err):
		return refusedUnavailable
	case errors.As(err, &call):
		return refusedByAWS
	}
	return refusedInternal
}

// tellOrder tells how a request for a credential ended. One that another node is
// to serve has not ended.
func (b *Backend) tellOrder(o *order, resp *logical.Response, err error) {
	e := lifecycle.Event{What: lifecycle.WasIssued, Type: string(cmp.Or(o.kind, unknownType)), Bearer: o.bearer, Err: err}
	switch {
	case err != nil && readOnly(err):
		return
	case err != nil:
		e.What, e.Reason = lifecycle.WasRefused, reasonOf(err)
	default:
		e.AccessKey, _ = resp.Data["access_key"].(string)
		e.User, _ = resp.Secret.InternalData["username"].(string)
	}
	b.users.Tell(e)
}
