package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"vault-plugin-secrets-aws/internal/devstack"
)

// sessionLife is how long sessions of TestTools live: long enough for a slow
// machine to use one, short enough to wait for its end.
const sessionLife = "20s"

// A tool is a program that speaks AWS and finds credentials by itself.
type tool struct {
	name    string
	require string // the variable that makes a missing tool a failure; "": always there
	refusal string // what it shows of one of Vault's: botocore all
	find    func(t *testing.T) (path, missing string)
	start   func(t *testing.T, path string, env []string) asker
}

// An asker has a running tool say who it is.
type asker func(t *testing.T) identity

// identity is what a tool says: who it is, or why it does not know.
type identity struct {
	ARN   string
	Error string
}

func tools() []tool {
	const whole = "format=container is for STS credentials"
	return []tool{
		{"awscli", "REQUIRE_AWSCLI", whole, findAWSCLI, startCLI},
		{"boto3", "REQUIRE_BOTO3", whole, findBoto3, startBoto3},
		{"Go SDK", "", "failed to refresh cached credentials", findGoSDK, startGoSDK},
	}
}

// ways are how a tool gets its credentials from a path of Vault: the variables
// of its environment.
var ways = map[string]func(v *toolVault, path string) []string{
	"container endpoint": func(v *toolVault, path string) []string {
		return []string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + v.stack.VaultAddr + "/v1/" + path + "?format=container&ttl=15m",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + v.tokenFile,
		}
	},
	"credential process": func(v *toolVault, path string) []string {
		file := filepath.Join(v.dir, strings.ReplaceAll(path, "/", "-")+".config")
		v.mustWrite(file, "[default]\ncredential_process = "+v.stack.Binaries.Helper+" -cache -address="+v.stack.VaultAddr+
			" -ca-cert="+v.stack.VaultCA+" -token-file="+v.tokenFile+" "+path+" ttl=15m\n")
		return []string{"AWS_CONFIG_FILE=" + file}
	},
}

// TestTools has AWS's own clients read credentials from Vault over TLS, with a
// token that is replaced and sessions that end meanwhile.
func TestTools(t *testing.T) {
	v := mustStartToolVault(t)
	talks := v.talks()
	for _, talk := range talks {
		talk.run(t, "first session", talk.begin)
	}
	last := v.session() // ends no sooner than those
	v.replaceToken()
	v.await(func() error { return v.ended(last) })
	for _, talk := range talks {
		talk.run(t, "after its end", talk.goOn)
		talk.run(t, "an IAM user's role", talk.refused)
	}
	if users, err := v.stack.Sim.Users(t.Context()); err != nil || len(users) > 0 {
		t.Errorf("users %v, %v", users, err)
	}
}

// A talk is with one tool that gets its credentials in one way.
type talk struct {
	tool
	vault *toolVault
	way   string
	path  string // of the tool; "": it is missing
	ask   asker
	first identity
}

// talks are all pairs of tools and ways. A missing tool is said here.
func (v *toolVault) talks() (all []*talk) {
	for _, tool := range tools() {
		path, missing := tool.find(v.T)
		if missing != "" {
			v.Run(tool.name, func(t *testing.T) {
				if os.Getenv(tool.require) == "1" {
					t.Fatalf("%s=1, but %s", tool.require, missing)
				}
				t.Skipf("SKIP %s: %s", tool.name, missing)
			})
			continue
		}
		for way := range ways {
			all = append(all, &talk{tool: tool, vault: v, way: way, path: path})
		}
	}
	return all
}

func (k *talk) run(t *testing.T, step string, do func(*testing.T)) {
	t.Run(k.name+" by "+k.way+": "+step, do)
}

// start starts the tool with the credentials of a path of Vault.
func (k *talk) start(path string) asker {
	return k.tool.start(k.vault.T, k.path, k.vault.env(ways[k.way](k.vault, path)))
}

func (k *talk) begin(t *testing.T) {
	k.ask = k.start("aws/sts/app")
	k.first = k.ask(t)
	if !strings.Contains(k.first.ARN, ":federated-user/vault-") {
		t.Fatalf("%+v", k.first)
	}
}

func (k *talk) goOn(t *testing.T) {
	if now := k.ask(t); now.ARN == k.first.ARN || !strings.Contains(now.ARN, ":federated-user/vault-") {
		t.Errorf("first %+v, now %+v", k.first, now)
	}
}

func (k *talk) refused(t *testing.T) {
	if got := k.start("aws/sts/user")(t); got.ARN != "" || !strings.Contains(got.Error, k.refusal) {
		t.Errorf("%+v", got)
	}
}

// A toolVault is a Vault over TLS with the roles app, of sessions, and user, of
// IAM users, and a token in a file that may read them.
type toolVault struct {
	*testing.T
	stack     *devstack.Stack
	dir       string
	token     string
	tokenFile string
}

func mustStartToolVault(t *testing.T) *toolVault {
	t.Helper()
	v := &toolVault{T: t, stack: mustStartSpec(t, devstack.Spec{TLS: true}), dir: t.TempDir()}
	v.tokenFile = filepath.Join(v.dir, "token")
	register, err := v.stack.Binaries.RegisterArgs("aws")
	if err != nil {
		t.Fatal(err)
	}
	sim := v.stack.Sim
	v.vault(register...)
	v.vault("secrets", "enable", "aws")
	v.vault("write", "aws/config/root", "access_key="+sim.AccessKey, "secret_key="+sim.SecretKey, "region=us-east-1", "iam_endpoint="+sim.Endpoint, "sts_endpoint="+sim.Endpoint)
	v.vault("write", "aws/roles/app", "credential_type=federation_token", "policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess")
	v.vault("write", "aws/roles/user", "credential_type=iam_user", "policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess")
	v.vault("write", "sys/policies/acl/app", `policy=path "aws/sts/*" { capabilities = ["read"] }`)
	if _, err := sim.Control(t.Context(), "POST", "settings", []byte(`{"max_session":"`+sessionLife+`"}`)); err != nil {
		t.Fatal(err)
	}
	v.replaceToken()
	return v
}

// vault runs a vault command as root.
func (v *toolVault) vault(args ...string) string {
	v.Helper()
	cmd := v.stack.Command(v.Context(), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		v.Fatalf("vault %v: %v %s", args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// replaceToken puts a new token into the file, as Vault Agent does, and revokes
// the one of before.
func (v *toolVault) replaceToken() {
	v.Helper()
	old := v.token
	v.token = v.vault("token", "create", "-policy=app", "-field=token")
	v.mustWrite(v.tokenFile+".next", "Bearer "+v.token)
	if err := os.Rename(v.tokenFile+".next", v.tokenFile); err != nil {
		v.Fatal(err)
	}
	if old != "" {
		v.vault("token", "revoke", old)
	}
}

// session is a session of the role app.
func (v *toolVault) session() aws.Credentials {
	v.Helper()
	var answer struct {
		Data struct {
			AccessKey    string `json:"access_key"`
			SecretKey    string `json:"secret_key"`
			SessionToken string `json:"session_token"`
		}
	}
	if err := json.Unmarshal([]byte(v.vault("read", "-format=json", "aws/sts/app")), &answer); err != nil {
		v.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: answer.Data.AccessKey, SecretAccessKey: answer.Data.SecretKey, SessionToken: answer.Data.SessionToken}
}

// ended says whether AWS still takes a session: nil if it has ended.
func (v *toolVault) ended(c aws.Credentials) error {
	client := sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &v.stack.Sim.Endpoint,
		Credentials: credentials.StaticCredentialsProvider{Value: c},
	})
	_, err := client.GetCallerIdentity(v.Context(), &sts.GetCallerIdentityInput{})
	if refused := smithy.APIError(nil); errors.As(err, &refused) && refused.ErrorCode() == "ExpiredToken" {
		return nil
	}
	return errors.Join(errors.New("the session has not ended"), err)
}

// await tries until it succeeds.
func (v *toolVault) await(try func() error) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			v.Fatal(err)
		case <-tick.C:
		}
	}
}

func (v *toolVault) mustWrite(path, text string) {
	v.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		v.Fatal(err)
	}
}

// env is all that a tool gets, besides what tells it where its credentials are.
// It trusts Vault's certificate: the SDK for Go by SSL_CERT_FILE; botocore, which
// has no setting for this endpoint, by the certifi that it finds first.
func (v *toolVault) env(more []string) []string {
	v.Helper()
	if err := os.MkdirAll(filepath.Join(v.dir, "python"), 0o700); err != nil {
		v.Fatal(err)
	}
	v.mustWrite(filepath.Join(v.dir, "python", "certifi.py"), "def where():\n    return "+pythonText(v.stack.VaultCA)+"\n")
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + v.dir, "TMPDIR=" + v.dir,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_STS=" + v.stack.Sim.Endpoint,
		"SSL_CERT_FILE=" + v.stack.VaultCA, "PYTHONPATH=" + filepath.Join(v.dir, "python"), "PYTHONDONTWRITEBYTECODE=1", "LC_ALL=C.UTF-8",
	}, more...)
}

// pythonText is a literal of Python, which JSON's texts are too.
func pythonText(s string) string {
	text, _ := json.Marshal(s) // a string always marshals
	return string(text)
}

// findPython resolves a version manager's shim, which needs an environment of
// its own.
func findPython(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func findBoto3(t *testing.T) (path, missing string) {
	python := findPython(t)
	if python == "" {
		return "", "no python3 on PATH"
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run(); err != nil {
		return "", "python3 has no boto3"
	}
	return python, ""
}

func findAWSCLI(t *testing.T) (path, missing string) {
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

// findGoSDK is this program: TestMain makes it a client.
func findGoSDK(t *testing.T) (path, missing string) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path, ""
}

// startCLI asks by a command of its own each time.
func startCLI(_ *testing.T, path string, env []string) asker {
	return func(t *testing.T) identity {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, "sts", "get-caller-identity", "--output", "json")
		cmd.Env = env
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return identity{Error: stderr.String()}
		}
		return mustIdentity(t, out)
	}
}

// boto3Client answers every line with who it is.
const boto3Client = `
import boto3, json, sys
session = boto3.Session()
for line in sys.stdin:
    try:
        answer = {"Arn": session.client("sts").get_caller_identity()["Arn"]}
    except Exception as e:
        answer = {"Error": str(e)}
    print(json.dumps(answer), flush=True)
`

func startBoto3(t *testing.T, path string, env []string) asker {
	return startLines(t, exec.Command(path, "-c", boto3Client), env)
}

func startGoSDK(t *testing.T, path string, env []string) asker {
	return startLines(t, exec.Command(path), append(env, goSDKClient+"=1"))
}

// startLines starts a program that answers lines.
func startLines(t *testing.T, cmd *exec.Cmd, env []string) asker {
	t.Helper()
	cmd.Env = env
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", cmd, err)
		}
	})
	lines := bufio.NewReader(out)
	return func(t *testing.T) identity {
		t.Helper()
		if _, err := io.WriteString(in, "who\n"); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		return mustIdentity(t, line)
	}
}

func mustIdentity(t *testing.T, text []byte) identity {
	t.Helper()
	var i identity
	if err := json.Unmarshal(text, &i); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return i
}

// goSDKClient is the variable that makes this program a client by the SDK for
// Go instead of a test.
const goSDKClient = "E2E_GO_SDK_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(goSDKClient) == "" {
		os.Exit(m.Run())
	}
	if err := answerLines(context.Background(), os.Stdin, os.Stdout); err != nil {
		panic(err)
	}
}

// answerLines answers every line with who the SDK says we are.
func answerLines(ctx context.Context, in io.Reader, out io.Writer) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client, answers := sts.NewFromConfig(cfg), json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var i identity
		if got, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
			i.Error = err.Error()
		} else {
			i.ARN = aws.ToString(got.Arn)
		}
		if err := answers.Encode(i); err != nil {
			return err
		}
	}
	return lines.Err()
}
