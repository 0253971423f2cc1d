package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"

	"vault-plugin-secrets-aws/backend"
)

const allocationRuns = 100

// allocations counts what the handlers allocate, in this process: the backend
// over storage in memory, and an AWS that answers from constants, so that only
// the plugin's own count.
func allocations(ctx context.Context, w *world) error {
	h, err := newHandlers(ctx)
	if err != nil {
		return err
	}
	defer h.Cleanup(context.WithoutCancel(ctx))
	for _, hot := range []struct {
		name    string
		prepare func() // is not counted
		call    func()
	}{
		{"read of a role", nothing, func() { h.do(logical.ReadOperation, "roles/u", nil) }},
		{"issue, iam_user", nothing, func() { h.do(logical.ReadOperation, "creds/u", nil) }},
		{"renew, iam_user", h.lease, func() { h.do(logical.RenewOperation, "creds/u", h.secret) }},
		{"issue, assumed_role", nothing, func() { h.do(logical.ReadOperation, "creds/r", nil) }},
	} {
		hot.prepare()
		w.sheet.add("allocations: "+hot.name, ours, testing.AllocsPerRun(w.Quick.of(allocationRuns), hot.call))
	}
	// A lease can be revoked once: what issuing it allocates is taken off.
	both := testing.AllocsPerRun(w.Quick.of(allocationRuns), func() { h.lease(); h.do(logical.RevokeOperation, "creds/u", h.secret) })
	issue := testing.AllocsPerRun(w.Quick.of(allocationRuns), h.lease)
	w.sheet.add("allocations: revoke, iam_user", ours, both-issue)
	return h.err
}

func nothing() {}

// handlers is a backend without a Vault server. Its first error stays.
type handlers struct {
	logical.Backend
	ctx     context.Context
	storage logical.Storage
	secret  *logical.Secret
	err     error
}

func newHandlers(ctx context.Context) (*handlers, error) {
	h := &handlers{ctx: ctx, storage: &logical.InmemStorage{}}
	month := 32 * 24 * time.Hour
	var err error
	h.Backend, err = backend.Factory(backend.Options{Version: "v0.0.0", Transport: constantAWS{}})(ctx, &logical.BackendConfig{
		Logger: hclog.NewNullLogger(), StorageView: h.storage,
		System: &logical.StaticSystemView{DefaultLeaseTTLVal: month, MaxLeaseTTLVal: month},
	})
	if err != nil {
		return nil, err
	}
	for path, fields := range map[string]map[string]any{
		"config/root": {"access_key": "AKIACONSTANTCONSTANT", "secret_key": "constant", "region": "us-east-1"},
		"roles/u":     iamUser(something, nil),
		"roles/r":     {"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/deploy"},
	} {
		req := &logical.Request{Operation: logical.UpdateOperation, Path: path, Data: fields, Storage: h.storage}
		if resp, err := h.HandleRequest(ctx, req); err != nil || resp.IsError() {
			return nil, fmt.Errorf("write %s: %w", path, errors.Join(err, resp.Error()))
		}
	}
	return h, nil
}

// lease issues a user and keeps its lease.
func (h *handlers) lease() {
	if resp := h.do(logical.ReadOperation, "creds/u", nil); resp != nil {
		h.secret = resp.Secret
	}
}

func (h *handlers) do(op logical.Operation, path string, secret *logical.Secret) *logical.Response {
	req := &logical.Request{Operation: op, Path: path, Storage: h.storage, Secret: secret, DisplayName: "token"}
	resp, err := h.HandleRequest(h.ctx, req)
	if err == nil && resp.IsError() {
		err = resp.Error()
	}
	if err != nil && h.err == nil {
		h.err = fmt.Errorf("%s %s: %w", op, path, err)
	}
	return resp
}

// constantAWS answers each action with the same text.
type constantAWS struct{}

// RoundTrip implements [http.RoundTripper].
func (constantAWS) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	action := r.Form.Get("Action")
	body := fmt.Sprintf(`<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult>`+
		`<ResponseMetadata><RequestId>constant</RequestId></ResponseMetadata></%[1]sResponse>`, action, constantResult(action, r.Form.Get("UserName")))
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {"constant"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func constantResult(action, user string) string {
	const session = `<Credentials><AccessKeyId>ASIACONSTANTCONSTANT</AccessKeyId><SecretAccessKey>constant</SecretAccessKey>` +
		`<SessionToken>constant</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>`
	switch action {
	case "CreateUser", "GetUser":
		return `<User><UserName>` + user + `</UserName><UserId>AIDACONSTANT</UserId><Path>/</Path>` +
			`<Arn>arn:aws:iam::123456789012:user/` + user + `</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>`
	case "CreateAccessKey":
		return `<AccessKey><UserName>` + user + `</UserName><AccessKeyId>AKIACONSTANTCONSTANT</AccessKeyId><Status>Active</Status>` +
			`<SecretAccessKey>constant</SecretAccessKey></AccessKey>`
	case "AssumeRole":
		return session + `<AssumedRoleUser><AssumedRoleId>AROACONSTANT:constant</AssumedRoleId>` +
			`<Arn>arn:aws:sts::123456789012:assumed-role/deploy/constant</Arn></AssumedRoleUser>`
	case "GetCallerIdentity":
		return `<Arn>arn:aws:iam::123456789012:user/constant</Arn><UserId>AIDACONSTANT</UserId><Account>123456789012</Account>`
	}
	return ""
}
