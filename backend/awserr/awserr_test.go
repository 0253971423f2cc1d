package awserr_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/backend/awserr"
)

func TestErrorText(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  *awserr.Error
		want string
	}{
		{
			name: "code, message, action and request id in one piece",
			err:  &awserr.Error{Op: "iam:CreateUser", Code: "EntityAlreadyExists", Message: "User with name x already exists.", RequestID: "7a62c49f-347e", Status: 409},
			want: "EntityAlreadyExists: User with name x already exists. (iam:CreateUser, request id 7a62c49f-347e)",
		}, {
			name: "code alone",
			err:  &awserr.Error{Op: "iam:CreateUser", Code: "ServiceFailure", Status: 500},
			want: "ServiceFailure (iam:CreateUser)",
		}, {
			name: "the empty error",
			err:  &awserr.Error{Kind: awserr.Unknown},
			want: "call AWS: unclassified",
		}, {
			name: "a message is one printable line",
			err:  &awserr.Error{Code: "Invalid\x1b[31mInput", Message: "\n  a\tb\x00\u202ec\xff\nsecond line", RequestID: "id\r\nSet-Cookie: x"},
			want: "Invalid[31mInput: a bc (request id id)",
		}, {
			name: "a long message is cut between characters",
			err:  &awserr.Error{Code: "X", Message: strings.Repeat("é", 400)},
			want: "X: " + strings.Repeat("é", 256),
		}, {
			name: "a rejected signature never shows what was signed",
			err:  &awserr.Error{Op: "sts:AssumeRole", Code: "SignatureDoesNotMatch", Message: "The Canonical String for this request should have been 'POST / x-amz-security-token:FwoGZ'", Status: 403},
			want: "SignatureDoesNotMatch: AWS rejected the signature: secret_key does not belong to access_key, or the clock of this server is off (sts:AssumeRole)",
		}, {
			name: "a foreign body is not quoted",
			err:  &awserr.Error{Op: "iam:CreateUser", Status: 502, Cause: errors.New("unknown element <html>secret")},
			want: "iam:CreateUser: HTTP status 502 with a body that is no answer of AWS",
		}, {
			name: "nor is what the decoder says of it",
			err:  &awserr.Error{Op: "iam:CreateUser", Cause: fmt.Errorf("deserialization failed, %w", &xml.SyntaxError{Msg: "secret", Line: 1})},
			want: "iam:CreateUser: the reply is no answer of AWS",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.err.Error()); diff != "" {
				t.Errorf("Error() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorTextOfTransport(t *testing.T) {
	dial := func(err error) error {
		op := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, Err: err}
		return fmt.Errorf("request send failed, %w", &url.Error{Op: "Post", URL: "https://iam/?token=secret", Err: op})
	}
	for _, tc := range []struct {
		name  string
		cause error
		want  string
	}{
		{"cancelled", fmt.Errorf("canceled, %w", context.Canceled), "cancelled before AWS answered"},
		{"deadline", context.DeadlineExceeded, "timed out before AWS answered"},
		{"timeout of a dial", dial(os.ErrDeadlineExceeded), "timed out before AWS answered (127.0.0.1:443)"},
		{"refused", dial(syscall.ECONNREFUSED), "connection refused (127.0.0.1:443)"},
		{"reset", dial(syscall.ECONNRESET), "connection reset before AWS answered (127.0.0.1:443)"},
		{"closed", dial(io.EOF), "connection closed before AWS answered"},
		{"unreachable", dial(syscall.EHOSTUNREACH), "network unreachable (127.0.0.1:443)"},
		{"unknown host", dial(&net.DNSError{Name: "iam.nowhere", Err: "no such host", IsNotFound: true}), `DNS lookup of "iam.nowhere": no such host`},
		{"DNS silent", dial(&net.DNSError{Name: "iam.nowhere", IsTimeout: true}), `DNS lookup of "iam.nowhere": timed out`},
		{"DNS broken", dial(&net.DNSError{Name: "iam.nowhere", Err: "server misbehaving"}), `DNS lookup of "iam.nowhere": lookup failed`},
		{"unknown authority", dial(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "TLS certificate signed by an unknown authority"},
		{"other host", dial(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "iam"}), "TLS certificate issued for another host"},
		{"expired certificate", dial(&tls.CertificateVerificationError{Err: errors.New("x")}), "TLS certificate not valid"},
		{"no TLS", dial(tls.RecordHeaderError{Msg: "x"}), "the endpoint does not speak TLS"},
		{"innermost text, no secrets", fmt.Errorf("outer: %w", errors.New(`get "http://u:pw@h/p?X-Amz-Security-Token=t": odd`)), `get [redacted]@h/p odd`},
		{"innermost text, bounded", errors.New(strings.Repeat("x", 300)), strings.Repeat("x", 200)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := &awserr.Error{Op: "iam:CreateUser", Kind: awserr.Unavailable, Cause: tc.cause}
			if diff := cmp.Diff("iam:CreateUser: "+tc.want, err.Error()); diff != "" {
				t.Errorf("Error() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorIs(t *testing.T) {
	err := fmt.Errorf("create user %q: %w", "u", &awserr.Error{Kind: awserr.Unavailable, Cause: context.DeadlineExceeded})
	for _, tc := range []struct {
		name   string
		target error
		want   bool
	}{
		{"its kind", awserr.Unavailable, true},
		{"another kind", awserr.NotFound, false},
		{"its cause", context.DeadlineExceeded, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := errors.Is(err, tc.target); got != tc.want {
				t.Errorf("errors.Is(err, %v) = %v, want %v", tc.target, got, tc.want)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	for _, tc := range []struct {
		name   string
		code   string
		status int
		want   awserr.Kind
	}{
		{"absent", "NoSuchEntity", 404, awserr.NotFound},
		{"taken", "EntityAlreadyExists", 409, awserr.Exists},
		{"subordinates", "DeleteConflict", 409, awserr.InUse},
		{"quota", "LimitExceeded", 409, awserr.Limit},
		{"denied by IAM", "AccessDenied", 403, awserr.Denied},
		{"denied by a newer service", "AccessDeniedException", 400, awserr.Denied},
		{"wrong secret", "SignatureDoesNotMatch", 403, awserr.Denied},
		{"no such key", "InvalidClientTokenId", 403, awserr.UnknownKey},
		{"session ended", "ExpiredToken", 403, awserr.Expired},
		{"bad input", "ValidationError", 400, awserr.Invalid},
		{"bad policy", "MalformedPolicyDocument", 400, awserr.Invalid},
		{"region switched off", "RegionDisabledException", 403, awserr.Invalid},
		{"changing", "ConcurrentModification", 409, awserr.Busy},
		{"not yet modifiable", "EntityTemporarilyUnmodifiable", 409, awserr.Busy},
		{"throttled with IAM's status", "Throttling", 400, awserr.Throttled},
		{"throttled with a 5xx", "SlowDown", 503, awserr.Throttled},
		{"throttled by status alone", "", 429, awserr.Throttled},
		{"failure in AWS", "ServiceFailure", 500, awserr.Unavailable},
		{"unknown code, 5xx", "Odd", 503, awserr.Unavailable},
		{"a success that is cut off", "", 200, awserr.Unavailable},
		{"no code, 5xx", "", 502, awserr.Unavailable},
		{"a refusal's code with a 5xx is no refusal", "AccessDenied", 500, awserr.Unavailable},
		{"unknown code, 4xx", "Odd", 400, awserr.Unknown},
		{"no code, 4xx", "", 403, awserr.Unknown},
		{"codes are told apart by case", "accessdenied", 403, awserr.Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := awserr.KindOf(tc.code, tc.status); got != tc.want {
				t.Errorf("KindOf(%q, %d) = %q, want %q", tc.code, tc.status, got, tc.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	want := map[awserr.Kind]bool{
		awserr.NotFound: true, awserr.Exists: true, awserr.InUse: true, awserr.Limit: true,
		awserr.Denied: true, awserr.Invalid: true, awserr.Throttled: true, awserr.Busy: true,
		awserr.UnknownKey: true, awserr.Expired: true,
		awserr.Unavailable: false, awserr.Unknown: false, "": false,
	}
	got := map[awserr.Kind]bool{}
	for kind := range want {
		got[kind] = awserr.Refused(fmt.Errorf("create user: %w", &awserr.Error{Kind: kind}))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Refused (-want +got):\n%s", diff)
	}
	for _, err := range []error{nil, errors.New("raft: no leader"), awserr.Denied, context.Canceled} {
		if awserr.Refused(err) {
			t.Errorf("Refused(%v) = true of an error that no AWS call returned", err)
		}
	}
}

func TestRemedy(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{
			name: "missing permission",
			err:  &awserr.Error{Op: "iam:DeleteUser", Kind: awserr.Denied, Code: "AccessDenied"},
			want: "Allow iam:DeleteUser for the root credentials of this mount (docs/permissions.md).",
		},
		{
			name: "missing permission that the call implies",
			err:  &awserr.Error{Op: "iam:CreateUser", Kind: awserr.Denied, Code: "AccessDenied", Message: "User: arn:aws:iam::1:user/v is not authorized to perform: iam:TagUser on resource: arn"},
			want: "Allow iam:TagUser for the root credentials of this mount (docs/permissions.md).",
		},
		{
			name: "session credentials cannot federate",
			err:  fmt.Errorf("mint: %w", &awserr.Error{Op: "sts:GetFederationToken", Kind: awserr.Denied, Code: "AccessDenied", Message: "Cannot call GetFederationToken with session credentials"}),
			want: "Put an IAM user's access key into config/root, or use a role with credential_type=assumed_role.",
		},
		{
			name: "trust policy",
			err:  &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.Denied, Code: "AccessDenied"},
			want: "Check the IAM role's trust policy, and that the root credentials may call sts:AssumeRole on it.",
		},
		{
			name: "trust policy, of tags",
			err:  &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.Denied, Code: "AccessDenied", Message: "User: arn:aws:iam::1:user/v is not authorized to perform: sts:TagSession on resource: arn"},
			want: "Allow sts:TagSession beside sts:AssumeRole in the IAM role's trust policy, and for the root credentials: the role has session_tags.",
		},
		{
			name: "trust policy, of a source identity",
			err:  &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.Denied, Code: "AccessDenied", Message: "User: arn:aws:iam::1:user/v is not authorized to perform: sts:SetSourceIdentity on resource: arn"},
			want: "Allow sts:SetSourceIdentity beside sts:AssumeRole in the IAM role's trust policy, and for the root credentials: the role has source_identity_template.",
		},
		{
			name: "wrong secret, also on AssumeRole",
			err:  &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.Denied, Code: "SignatureDoesNotMatch"},
			want: "Write access_key and secret_key of one pair to config/root, and check the clock of the Vault server.",
		},
		{
			name: "quota named",
			err:  &awserr.Error{Op: "iam:CreateUser", Kind: awserr.Limit, Code: "LimitExceeded", Message: "Cannot exceed quota for UsersPerAccount: 5000"},
			want: `Stay below the quota "UsersPerAccount: 5000", or ask AWS to raise it (Service Quotas).`,
		},
		{
			name: "quota not named",
			err:  &awserr.Error{Op: "iam:CreateUser", Kind: awserr.Limit, Code: "LimitExceeded"},
			want: "Stay below the quota, or ask AWS to raise it (Service Quotas).",
		},
		{
			name: "missing policy",
			err:  &awserr.Error{Op: "iam:AttachUserPolicy", Kind: awserr.NotFound, Code: "NoSuchEntity"},
			want: "Check that every policy in the role's policy_arns exists in the account.",
		},
		{
			name: "unknown key",
			err:  &awserr.Error{Op: "iam:CreateUser", Kind: awserr.UnknownKey, Code: "InvalidClientTokenId"},
			want: "Check in IAM that the access key in config/root exists and is active; if it is new, retry in a few seconds.",
		},
		{"throttled", &awserr.Error{Kind: awserr.Throttled}, "Retry in a few seconds."},
		{"unclassified", &awserr.Error{Kind: awserr.Unknown}, "Look the answer up in the reference of the IAM and STS APIs, and check that the endpoints in config/root are AWS's."},
		{"the client went away", &awserr.Error{Kind: awserr.Unavailable, Cause: context.Canceled}, ""},
		{"no AWS call", errors.New("raft: no leader"), ""},
		{"no error", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, awserr.Remedy(tc.err)); diff != "" {
				t.Errorf("Remedy() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRemedyForEveryRefusal keeps a kind from being added without advice.
func TestRemedyForEveryRefusal(t *testing.T) {
	for _, kind := range []awserr.Kind{
		awserr.NotFound, awserr.Exists, awserr.InUse, awserr.Limit, awserr.Denied, awserr.Invalid, awserr.Throttled,
		awserr.Busy, awserr.UnknownKey, awserr.Expired, awserr.Unavailable, awserr.Unknown,
	} {
		err := &awserr.Error{Op: "iam:Any", Kind: kind, Code: "Any"}
		if awserr.Remedy(err) == "" {
			t.Errorf("no remedy for an error that is %q", kind)
		}
	}
}

// FuzzErrorText proves that no endpoint breaks a log line, nor makes us print
// what it was not to see.
func FuzzErrorText(f *testing.F) {
	f.Add("AccessDenied", "User: x is not authorized to perform: iam:TagUser on *", "id", "cause", 403)
	f.Add("", "\u2028\xff\x1b]0;", "", "get http://u:p@h/?q=1", 0)
	f.Fuzz(func(t *testing.T, code, message, id, cause string, status int) {
		err := &awserr.Error{Op: "iam:CreateUser", Kind: awserr.KindOf(code, status), Code: code, Message: message, RequestID: id, Status: status, Cause: errors.New(cause)}
		for _, text := range []string{err.Error(), awserr.Remedy(err)} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("unprintable text %q", text)
			}
			if len(text) > 800 {
				t.Errorf("text of %d bytes", len(text))
			}
		}
	})
}
