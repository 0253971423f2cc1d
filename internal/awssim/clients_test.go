package awssim_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestClients has clients that others wrote make a user, a policy and a key,
// assume a role and say who they are.
func TestClients(t *testing.T) {
	for _, tc := range []struct {
		name    string
		require string // the variable that makes a missing client a failure
		find    func(*testing.T) (python string, missing string)
		session func(*testing.T, client) []string
	}{
		{"awscli", "REQUIRE_AWSCLI", findAWSCLI, sessionOfCLI},
		{"boto3", "REQUIRE_BOTO3", findBoto3, sessionOfBoto3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			executable, missing := tc.find(t)
			if missing != "" {
				if os.Getenv(tc.require) == "1" {
					t.Fatalf("%s=1, but %s", tc.require, missing)
				}
				t.Skipf("SKIP %s: %s", tc.name, missing)
			}
			sim, endpoint, _ := started(t)
			sim.PutRole(account, "r", trusting(account), "")
			got := tc.session(t, client{executable, endpoint, environment(t, sim.Admin())})
			want := []string{
				"arn:aws:iam::123456789012:user/team/ada",
				"arn:aws:iam::123456789012:user/admin",
				"arn:aws:sts::123456789012:assumed-role/r/session",
				"EntityAlreadyExists",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			u := sim.State().Accounts[account].Users["ada"]
			if u.Tags["owner"] != "x y/ü" || len(u.Keys) != 1 || u.InlinePolicies["p"] != allow("s3:*", "*") {
				t.Errorf("the user that was made: %+v", u)
			}
		})
	}
}

// client is a program that speaks AWS.
type client struct {
	executable string
	endpoint   string
	env        []string
}

// environment is all that a client gets: nothing of the test's own, whose
// AWS_* and certificate variables would lead it elsewhere.
func environment(t *testing.T, who awssim.Credentials) []string {
	home := t.TempDir()
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
		"AWS_ACCESS_KEY_ID=" + who.AccessKey, "AWS_SECRET_ACCESS_KEY=" + who.SecretKey,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(home, "credentials"),
		"PYTHONIOENCODING=utf-8", "LC_ALL=C.UTF-8",
	}
}

// run runs the client and returns its standard output, and its standard error
// if it failed.
func (c client) run(t *testing.T, args ...string) (string, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.executable, args...)
	cmd.Env = c.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), err.Error() + ": " + stderr.String()
	}
	return stdout.String(), ""
}

// findPython resolves version-manager shims, which need an environment of
// their own.
func findPython(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func findBoto3(t *testing.T) (string, string) {
	python := findPython(t)
	if python == "" {
		return "", "no python3 on PATH"
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run(); err != nil {
		return "", "python3 has no boto3"
	}
	return python, ""
}

// findAWSCLI prefers the aws beside python3, since the one on PATH may be a
// shim.
func findAWSCLI(t *testing.T) (string, string) {
	if python := findPython(t); python != "" {
		beside := filepath.Join(filepath.Dir(python), "aws")
		if _, err := os.Stat(beside); err == nil {
			return beside, ""
		}
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		return "", "no aws on PATH"
	}
	return path, ""
}

// sessionOfCLI is the scripted session by the command line.
func sessionOfCLI(t *testing.T, c client) []string {
	aws := func(args ...string) string {
		t.Helper()
		out, failed := c.run(t, append([]string{"--endpoint-url", c.endpoint, "--output", "json"}, args...)...)
		if failed != "" {
			t.Fatalf("aws %v: %s", args, failed)
		}
		return out
	}
	document := allow("s3:*", "*")
	made := at(t, aws("iam", "create-user", "--user-name", "ada", "--path", "/team/", "--tags", "Key=owner,Value=x y/ü"), "User", "Arn")
	aws("iam", "put-user-policy", "--user-name", "ada", "--policy-name", "p", "--policy-document", document)
	if got := at(t, aws("iam", "get-user-policy", "--user-name", "ada", "--policy-name", "p"), "PolicyDocument", "Version"); got != "2012-10-17" {
		t.Errorf("policy read back: version %q", got)
	}
	aws("iam", "create-access-key", "--user-name", "ada")
	self := at(t, aws("sts", "get-caller-identity"), "Arn")
	assumed := at(t, aws("sts", "assume-role", "--role-arn", "arn:aws:iam::123456789012:role/r", "--role-session-name", "session"), "AssumedRoleUser", "Arn")
	_, failed := c.run(t, "--endpoint-url", c.endpoint, "iam", "create-user", "--user-name", "ADA")
	return []string{made, self, assumed, cut(failed, "An error occurred (", ")")}
}

// sessionOfBoto3 is the same in Python, with botocore's own validation on.
func sessionOfBoto3(t *testing.T, c client) []string {
	const script = `
import boto3, json, sys
from botocore.exceptions import ClientError
endpoint, document = sys.argv[1:]
iam = boto3.client("iam", endpoint_url=endpoint)
sts = boto3.client("sts", endpoint_url=endpoint)
made = iam.create_user(UserName="ada", Path="/team/", Tags=[{"Key": "owner", "Value": "x y/ü"}])["User"]["Arn"]
iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=document)
assert iam.get_user_policy(UserName="ada", PolicyName="p")["PolicyDocument"] == json.loads(document)
iam.create_access_key(UserName="ada")
self = sts.get_caller_identity()["Arn"]
session = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")
c = session["Credentials"]
assumed = boto3.client("sts", endpoint_url=endpoint, aws_access_key_id=c["AccessKeyId"],
    aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"]).get_caller_identity()["Arn"]
assert assumed == session["AssumedRoleUser"]["Arn"]
assert [u["UserName"] for p in iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1}) for u in p["Users"]] == ["ada", "admin"]
assert boto3.client("ec2", endpoint_url=endpoint).describe_regions()["Regions"]
try:
    iam.create_user(UserName="ADA")
except ClientError as e:
    print(json.dumps([made, self, assumed, e.response["Error"]["Code"]]))
`
	out, failed := c.run(t, "-c", script, c.endpoint, allow("s3:*", "*"))
	if failed != "" {
		t.Fatal(failed)
	}
	var got []string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return got
}

// at is the text at a path of a JSON object.
func at(t *testing.T, body string, path ...string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	out, _ := value.(string)
	return out
}

// cut is what stands between two texts.
func cut(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	out, _, _ := strings.Cut(rest, after)
	return out
}
