package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/policy"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// formatContainer is the one format besides Vault's own: the answer of the
// container credentials endpoint, which AWS's SDKs read by
// AWS_CONTAINER_CREDENTIALS_FULL_URI.
const formatContainer = "container"

// containerDeadline is how long a request in this format may take: botocore
// waits 2 s for the whole answer, three times (ContainerMetadataFetcher in
// botocore/utils.py 1.43).
const containerDeadline = 1500 * time.Millisecond

// errTooLate: the answer would come when the SDK that asked has given up.
var errTooLate = fmt.Errorf("no answer within the %s that AWS's SDKs leave to format=container; they try again by themselves", containerDeadline)

func formatField() *framework.FieldSchema {
	return &framework.FieldSchema{
		Type:        framework.TypeString,
		Description: "container: answer as the container credentials endpoint of AWS does, without a lease, for AWS_CONTAINER_CREDENTIALS_FULL_URI. GET and STS types only.",
		Query:       true,
	}
}

// formatted has a handler answer in the format that the request asks for.
func formatted(read framework.OperationFunc) framework.OperationFunc {
	return func(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
		switch format := d.Get("format").(string); {
		case format == "":
			return read(ctx, req, d)
		case format != formatContainer:
			return nil, invalid("format %q is not known: send container, or leave it out", format)
		case req.Operation != logical.ReadOperation:
			return nil, invalid("format=container is for GET, which AWS's SDKs send: leave format out of a write")
		}
		ctx, cancel := context.WithTimeout(ctx, containerDeadline)
		defer cancel()
		resp, err := read(ctx, req, d)
		switch {
		case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
			return nil, fmt.Errorf("%w: %s", errTooLate, explain(err))
		case err != nil:
			return nil, err
		}
		return contained(resp)
	}
}

// checkFormat refuses a format for a type that does not take it, before
// anything is made.
func (o *order) checkFormat(t credentialType) error {
	if o.Get("format") == "" || slices.Contains(t.takes, "format") {
		return nil
	}
	return invalid("format=container is for STS credentials, and role %q gives out IAM users: this format carries no lease, so nobody could revoke the user that each read makes; read creds/%s without format, or use a role with credential_type assumed_role, federation_token or session_token", o.roleName, o.roleName)
}

// containerCredentials is the answer of the container credentials endpoint. The
// session token is Token here, and the time RFC 3339.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html (checked 2026-11)
type containerCredentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string
	AccountID       string `json:"AccountId,omitempty"`
}

// contained is a session's answer as raw JSON. It leaves the lease behind: Vault
// refuses an answer with both, and AWS ends the session by itself.
func contained(resp *logical.Response) (*logical.Response, error) {
	text := func(field string) string { s, _ := resp.Data[field].(string); return s }
	body, err := json.Marshal(containerCredentials{
		AccessKeyID: text("access_key"), SecretAccessKey: text("secret_key"), Token: text("session_token"),
		Expiration: text("expiration"), AccountID: policy.AccountOf(text("arn")),
	})
	if err != nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		logical.HTTPStatusCode:  http.StatusOK,
		logical.HTTPContentType: "application/json",
		logical.HTTPRawBody:     body,
	}}, nil
}
