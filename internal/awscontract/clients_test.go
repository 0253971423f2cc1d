package awscontract_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

const (
	account = "123456789012" // of the simulator's zero Options
	letting = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	allowing = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// program is a client that others wrote, with all that it gets of us.
type program struct {
	path string
	env  []string
}

// run runs the program and returns its standard output, or its standard error
// if it failed.
func (p program) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + strings.TrimSpace(stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// withAdmin is the environment of a client that is the administrator.
func withAdmin(t *testing.T, sim *awssim.Sim) []string {
	admin := sim.Admin()
	return environment(t, "AWS_ACCESS_KEY_ID="+admin.AccessKey, "AWS_SECRET_ACCESS_KEY="+admin.SecretKey)
}

// TestClientsBoto3 has boto3 take an account through everything that the
// engine does, with its own parameter validation on.
func TestClientsBoto3(t *testing.T) {
	interpreter := python(t)
	if interpreter == "" || exec.CommandContext(t.Context(), interpreter, "-c", "import boto3").Run() != nil {
		missing(t, "REQUIRE_BOTO3", "no python3 with boto3")
	}
	sim, endpoint := simtest.Start(t)
	role := sim.PutRole(account, "r", letting, allowing)
	script, err := filepath.Abs(filepath.Join("testdata", "session.py"))
	if err != nil {
		t.Fatal(err)
	}
	got := program{interpreter, withAdmin(t, sim)}.run(t, script, endpoint, role)
	want := `create user: arn:aws:iam::123456789012:user/team/bob arn:aws:iam::123456789012:policy/p1 x y/ü
create it again: 409 EntityAlreadyExists as EntityAlreadyExistsException
name too short: refused by botocore
name too long: 400 ValidationError
list attached: 3 on 3 pages
list users: 2 on 2 pages
read a policy: ['iam:*', 'sts:*']
bad policy: 400 MalformedPolicyDocument as MalformedPolicyDocumentException
third key: 409 LimitExceeded as LimitExceededException
who is bob: arn:aws:iam::123456789012:user/team/bob
wrong secret: 403 SignatureDoesNotMatch
assume a role: arn:aws:sts::123456789012:assumed-role/r/session bob
as the role: bob
session policy: 403 AccessDenied
session name too short: refused by botocore
unknown role: 403 AccessDenied
federate: arn:aws:sts::123456789012:federated-user/fed 123456789012:fed
who is federated: arn:aws:sts::123456789012:federated-user/fed
federated on IAM: 403 InvalidClientTokenId
who has the token: arn:aws:iam::123456789012:user/team/bob
token for a token: 403 AccessDenied
delete with keys: 409 DeleteConflict as DeleteConflictException
delete: done
delete again: 404 NoSuchEntity as NoSuchEntityException`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

// TestClientsAWSCLI does the same with the AWS CLI, command by command.
func TestClientsAWSCLI(t *testing.T) {
	path := tool(t, "aws")
	if path == "" {
		missing(t, "REQUIRE_AWSCLI", "no aws on PATH")
	}
	sim, endpoint := simtest.Start(t)
	sim.PutRole(account, "r", letting, allowing)
	aws := program{path, append(withProfile(t, withAdmin(t, sim), sim.Admin()), "AWS_ENDPOINT_URL="+endpoint, "AWS_DEFAULT_OUTPUT=json")}
	for _, step := range []struct{ command, want string }{
		{"iam create-user --user-name bob --path /team/ --tags Key=owner,Value=me --query User.Arn", "arn:aws:iam::123456789012:user/team/bob"},
		{"iam create-user --user-name BOB", "An error occurred (EntityAlreadyExists) when calling the CreateUser operation: User with name BOB already exists."},
		{"iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess", ""},
		{"iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess", ""},
		{"iam list-attached-user-policies --user-name bob --page-size 1 --query length(AttachedPolicies)", "2"},
		{"iam list-users --max-items 1 --query length(Users)", "1"},
		{"sts get-caller-identity --query Arn", "arn:aws:iam::123456789012:user/admin"},
		{"sts get-federation-token --name fed --duration-seconds 900 --query FederatedUser.Arn", "arn:aws:sts::123456789012:federated-user/fed"},
		{"sts get-session-token --duration-seconds 900 --query Credentials.AccessKeyId=='x'", "false"},
		{"sts get-caller-identity --profile chained --query Arn", "arn:aws:sts::123456789012:assumed-role/r/by-profile"},
		{"sts assume-role --role-arn arn:aws:iam::123456789012:role/r --role-session-name s", "Parameter validation failed:\nInvalid length for parameter RoleSessionName, value: 1, valid min length: 2"},
		{"iam delete-user --user-name bob", "An error occurred (DeleteConflict) when calling the DeleteUser operation: Cannot delete entity, must detach all policies first."},
	} {
		got := strings.Trim(aws.run(t, strings.Fields(step.command)...), `"`)
		if got != step.want {
			t.Errorf("aws %s: %s, want %s", step.command, got, step.want)
		}
	}
}

// withProfile writes a configuration in which the profile "chained" assumes a
// role with the administrator's keys.
func withProfile(t *testing.T, env []string, admin awssim.Credentials) []string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	text := "[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/r\nrole_session_name = by-profile\nsource_profile = plain\n" +
		"[profile plain]\naws_access_key_id = " + admin.AccessKey + "\naws_secret_access_key = " + admin.SecretKey + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(env, "AWS_CONFIG_FILE="+config)
}
