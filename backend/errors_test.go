package backend_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/plugin/pb"
)

// errorKind is an error that a client can see: a row of docs/errors.md.
type errorKind struct {
	kind   string
	when   string
	err    error
	status int
	failed string // what failed, in AWS's words if it was AWS
	todo   string // what to do, the text's last sentence; "" if it is in failed
	end    string // what clients match, after all
}

func (k errorKind) text() string {
	text := k.failed
	if k.todo != "" {
		text += ". " + k.todo
	}
	return text + k.end
}

// row is the kind as docs/errors.md shows it.
func (k errorKind) row() string {
	todo := k.todo
	if todo == "" {
		todo = "as the text says"
	}
	return fmt.Sprintf("| %d | %s | %s | `%s` | %s |", k.status, k.kind, k.when, k.failed, todo)
}

// refused is a refusal of AWS.
func refused(op, code string, status int, message string) error {
	return fmt.Errorf("below: %w", &awserr.Error{Op: op, Kind: awserr.KindOf(code, status), Code: code, Status: status, Message: message, RequestID: "7a62c49f"})
}

// ours is a call that AWS did not answer.
func ours(op, code string, kind awserr.Kind, cause error) error {
	return &awserr.Error{Op: op, Kind: kind, Code: code, Message: "…", Cause: cause}
}

// errorKinds are all kinds, in the order of docs/errors.md.
func errorKinds() []errorKind {
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 443}, Err: syscall.ECONNREFUSED}
	return []errorKind{{
		kind: "request or role at fault", when: "a field, a parameter, a role or the configuration cannot be what it is; AWS was not asked",
		err: fmt.Errorf("read: %w", backend.Invalid("mfa_code is required: role %q has an mfa_serial_number; send the six digits that its device shows", "ci")), status: 400,
		failed: `mfa_code is required: role "ci" has an mfa_serial_number; send the six digits that its device shows`,
	}, {
		kind: "access denied", when: "a policy, a trust policy or the signature stands against the call",
		err: refused("iam:CreateUser", "AccessDenied", 403, "User: arn:aws:iam::123456789012:user/vault is not authorized to perform: iam:CreateUser"), status: 400,
		failed: "Error creating IAM user: AccessDenied: User: arn:aws:iam::123456789012:user/vault is not authorized to perform: iam:CreateUser (iam:CreateUser, request id 7a62c49f)",
		todo:   "Allow iam:CreateUser for the root credentials of this mount (docs/permissions.md).",
	}, {
		kind: "invalid input", when: "AWS does not take what the role, the configuration or the request says",
		err: refused("iam:PutUserPolicy", "MalformedPolicyDocument", 400, "Syntax errors in policy."), status: 400,
		failed: "Error putting user policy: MalformedPolicyDocument: Syntax errors in policy. (iam:PutUserPolicy, request id 7a62c49f)",
		todo:   "Correct the role's policy_document: it is JSON, but not what IAM takes for a policy.",
	}, {
		kind: "not found", when: "AWS has no such policy, group, user or boundary, or does not show it yet",
		err: refused("iam:AttachUserPolicy", "NoSuchEntity", 404, "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable."), status: 400,
		failed: "Error attaching user policy: NoSuchEntity: Policy arn:aws:iam::aws:policy/X does not exist or is not attachable. (iam:AttachUserPolicy, request id 7a62c49f)",
		todo:   "Check that every policy in the role's policy_arns exists in the account.",
	}, {
		kind: "already exists", when: "the name is taken, perhaps by somebody else",
		err: refused("iam:CreateUser", "EntityAlreadyExists", 409, "User with name ci already exists."), status: 400,
		failed: "Error creating IAM user: EntityAlreadyExists: User with name ci already exists. (iam:CreateUser, request id 7a62c49f)",
		todo:   "Put {{random 20}} into username_template, so that no two users get the same name.",
	}, {
		kind: "in use", when: "something still hangs on what is to be deleted",
		err: refused("iam:DeleteUser", "DeleteConflict", 409, "Cannot delete entity, must delete login profile first."), status: 400,
		failed: "DeleteConflict: Cannot delete entity, must delete login profile first. (iam:DeleteUser, request id 7a62c49f)",
		todo:   "Remove in IAM what was added to the user by hand; the removal is tried again.",
	}, {
		kind: "limit exceeded", when: "a quota of the account or of the user is used up",
		err: refused("iam:CreateUser", "LimitExceeded", 409, "Cannot exceed quota for UsersPerAccount: 5000"), status: 400,
		failed: "Error creating IAM user: LimitExceeded: Cannot exceed quota for UsersPerAccount: 5000 (iam:CreateUser, request id 7a62c49f)",
		todo:   `Stay below the quota "UsersPerAccount: 5000", or ask AWS to raise it (Service Quotas).`,
	}, {
		kind: "unknown access key", when: "AWS does not know the root key: it is wrong, inactive, deleted or new",
		err: refused("sts:AssumeRole", "InvalidClientTokenId", 403, "The security token included in the request is invalid."), status: 400,
		failed: "Error assuming role: InvalidClientTokenId: The security token included in the request is invalid. (sts:AssumeRole, request id 7a62c49f)",
		todo:   "Check in IAM that the access key in config/root exists and is active; if it is new, retry in a few seconds.",
	}, {
		kind: "expired", when: "the session that signs, or the signature, ran out",
		err: refused("sts:GetFederationToken", "ExpiredToken", 403, "The security token included in the request is expired"), status: 400,
		failed: "Error generating STS keys: ExpiredToken: The security token included in the request is expired (sts:GetFederationToken, request id 7a62c49f)",
		todo:   "Check the clock of the Vault server, and renew the root credentials if they are those of a session.",
	}, {
		kind: "unclassified", when: "an answer that the engine does not know; it may have had effect, and what it made is removed",
		err: refused("iam:GetUser", "Odd", 400, "It is odd."), status: 400,
		failed: "Error looking up IAM user: Odd: It is odd. (iam:GetUser, request id 7a62c49f)",
		todo:   "Look the answer up in the reference of the IAM and STS APIs, and check that the endpoints in config/root are AWS's.",
	}, {
		kind: "wrong secret", when: "the signature is not the key's; AWS's text, which repeats what was signed, is never shown",
		err: refused("iam:CreateUser", "SignatureDoesNotMatch", 403, "The Canonical String for this request should have been 'POST"), status: 400,
		failed: "Error creating IAM user: SignatureDoesNotMatch: AWS rejected the signature: secret_key does not belong to access_key, or the clock of this server is off (iam:CreateUser, request id 7a62c49f)",
		todo:   "Write access_key and secret_key of one pair to config/root, and check the clock of the Vault server.",
	}, {
		kind: "no credentials", when: "`config/root` holds no keys, and the server has none",
		err: ours("sts:AssumeRole", awserr.NoCredentials, awserr.Denied, nil), status: 400,
		failed: "Error assuming role: NoCredentials: … (sts:AssumeRole)",
		todo:   "Write access_key and secret_key to config/root, or give the Vault server AWS credentials: environment, shared files, web identity, container endpoint or instance profile.",
	}, {
		kind: "no identity token", when: "`identity_token_audience` is set, and Vault issues no token",
		err: ours("sts:AssumeRoleWithWebIdentity", awserr.NoIdentityToken, awserr.Denied, nil), status: 400,
		failed: "Error exchanging identity token: NoIdentityToken: … (sts:AssumeRoleWithWebIdentity)",
		todo:   "Check that this Vault server issues identity tokens (Enterprise does) and the identity_token_key of the mount, or write access_key and secret_key to config/root.",
	}, {
		kind: "a limit of the mount's", when: "`max_users` of the role or of the mount is reached",
		err: fmt.Errorf("issue: %w", &lifecycle.CapError{Of: `role "ci"`, Limit: 5}), status: 429,
		failed: `max_users of role "ci" is reached: 5 IAM users live; revoke leases that are no longer needed, or raise max_users`,
	}, {
		kind: "throttled", when: "AWS takes no more calls now, also after our own retries",
		err: refused("iam:CreateUser", "Throttling", 400, "Rate exceeded"), status: 502,
		failed: "Error creating IAM user: Throttling: Rate exceeded (iam:CreateUser, request id 7a62c49f)",
		todo:   "Retry in a few seconds.", end: " (upstream rate limited)",
	}, {
		kind: "too many calls", when: "AWS would throttle: the call would have waited too long, and was not sent",
		err: ours("iam:CreateUser", awserr.TooManyCalls, awserr.Throttled, nil), status: 502,
		failed: "Error creating IAM user: TooManyCalls: … (iam:CreateUser)",
		todo:   "Ask for fewer credentials at once, or have other programs call AWS less with this account.", end: " (upstream rate limited)",
	}, {
		kind: "unavailable: AWS", when: "AWS failed; what the call made is removed",
		err: refused("iam:CreateUser", "ServiceFailure", 500, "Internal failure"), status: 503,
		failed: "Error creating IAM user: ServiceFailure: Internal failure (iam:CreateUser, request id 7a62c49f)",
		todo:   unavailable,
	}, {
		kind: "unavailable: network", when: "no answer came: DNS, connection, TLS, proxy, timeout",
		err: ours("iam:CreateUser", "", awserr.Unavailable, dial), status: 503,
		failed: "Error creating IAM user: iam:CreateUser: connection refused (203.0.113.7:443)", todo: unavailable,
	}, {
		kind: "unavailable: no answer of AWS's", when: "something else answered, a proxy perhaps; its words are not shown",
		err: &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.KindOf("", 502), Status: 502, Cause: io.EOF}, status: 503,
		failed: "Error assuming role: sts:AssumeRole: HTTP status 502 with a body that is no answer of AWS", todo: unavailable,
	}, {
		kind: "busy", when: "AWS is still changing the entity, also after our own retries",
		err: refused("iam:AttachUserPolicy", "ConcurrentModification", 409, "The request was submitted concurrently."), status: 503,
		failed: "Error attaching user policy: ConcurrentModification: The request was submitted concurrently. (iam:AttachUserPolicy, request id 7a62c49f)",
		todo:   "Retry in a minute: AWS is still applying an earlier change.",
	}, {
		kind: "our own deadline", when: "the request took 50 s; what it made is removed",
		err: fmt.Errorf("issue user %q: %w", "vault-ci", context.DeadlineExceeded), status: 503,
		failed: `issue user "vault-ci": context deadline exceeded`, todo: "The request took longer than it may: try again.",
	}, {
		kind: "an SDK's deadline", when: "`format=container` found no answer in the time that SDKs wait",
		err: fmt.Errorf("%w: iam:CreateUser: timed out", backend.ErrTooLate), status: 503,
		failed: "no answer within the 1.5s that AWS's SDKs leave to format=container; they try again by themselves: iam:CreateUser: timed out",
	}, {
		kind: "draining", when: "an operator is emptying the mount",
		err: lifecycle.ErrDraining, status: 503,
		failed: "this mount is being drained and makes no new IAM users; write tidy drain=false to end that",
	}, {
		kind: "restored", when: "storage is older than what AWS shows; rotations and tidy wait for an operator's word",
		err: lifecycle.ErrRestored, status: 503,
		failed: "storage seems to have been restored from a snapshot; write tidy confirm_restore=true when it is known what became of the users since",
	}, {
		kind: "not yet visible", when: "AWS made the user and does not show it everywhere",
		err: lifecycle.ErrUnseen, status: 503,
		failed: "AWS does not show the new user everywhere yet; try again",
	}, {
		kind: "records not read yet", when: "`lookup` in the first seconds after a start",
		err: backend.ErrNotYet, status: 503,
		failed: "the records of users are still being read after a start; try again in some seconds",
	}, {
		kind: "ours", when: "Vault's storage or the engine itself failed: see Vault's log. Nothing that a request says is answered so",
		err: errors.New("write role/ci: raft: no leader"), status: 500,
		failed: "write role/ci: raft: no leader",
	}}
}

const unavailable = "Check that AWS and the network are in order: endpoints in config/root, proxy, DNS, and the reachability of AWS from the Vault server."

// TestErrorKinds holds status and whole text of every kind, on the far side of the
// plugin boundary, and docs/errors.md to the same table.
func TestErrorKinds(t *testing.T) {
	rows := []string{"| status | kind | when | text, by example | what to do |", "|---|---|---|---|---|"}
	for _, k := range errorKinds() {
		t.Run(k.kind, func(t *testing.T) {
			req := &logical.Request{Operation: logical.ReadOperation}
			resp, err := backend.Respond(k.err)
			got := seen(req, resp, pb.ProtoErrToErr(pb.ErrToProtoErr(err)))
			want := answer{status: k.status, error: k.text()}
			if diff := cmp.Diff(want, answer{status: got.status, error: ownWords(got.error)}, cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
		rows = append(rows, k.row())
	}
	text, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := strings.Join(rows, "\n") + "\n\n"; !strings.Contains(string(text), "\n\n"+table) {
		t.Errorf("docs/errors.md does not hold this table:\n\n%s", table)
	}
}

// ownWords is an error text without what Vault puts around those of a 500.
func ownWords(text string) string {
	text = strings.TrimPrefix(text, "1 error occurred:\n\t* ")
	return strings.TrimSpace(text)
}

// TestErrorKindsAreWhole keeps a kind of awserr from being left out.
func TestErrorKindsAreWhole(t *testing.T) {
	for _, kind := range []awserr.Kind{
		awserr.NotFound, awserr.Exists, awserr.InUse, awserr.Limit, awserr.Denied, awserr.Invalid, awserr.Throttled,
		awserr.Busy, awserr.UnknownKey, awserr.Expired, awserr.Unavailable, awserr.Unknown,
	} {
		has := false
		for _, k := range errorKinds() {
			has = has || errors.Is(k.err, kind) && k.status != http.StatusInternalServerError && strings.Contains(k.kind, strings.TrimSuffix(string(kind), " exceeded"))
		}
		if !has {
			t.Errorf("no row of kind %q", kind)
		}
	}
}
