package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// versions are those of the services' APIs.
var versions = map[string]string{"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}

// callAWS makes one call with a named credential and prints the answer.
func callAWS(s *script, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	params, err := s.pairs(args[2:])
	if err != nil {
		return err
	}
	answer, err := s.callAWS(args[0], args[1], params)
	fmt.Fprintln(&s.stdout, answer)
	return err
}

// callAWS makes one call, such as iam:GetUser, with a named credential.
func (s *script) callAWS(name, action string, params map[string]string) (string, error) {
	service, operation, _ := strings.Cut(action, ":")
	form := url.Values{"Action": {operation}, "Version": {versions[service]}}
	for key, value := range params {
		form.Set(key, value)
	}
	req, err := s.signed(s.named(name), service, form.Encode())
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		fmt.Fprintf(&s.stderr, "%s: %s\n", element("Code", answer), element("Message", answer))
		err = refusef("%s as %s: %s", action, name, element("Code", answer))
	}
	return string(answer), err
}

// signed is a request of the AWS query protocol, signed.
func (s *script) signed(who aws.Credentials, service, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.stack.Sim.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(s.ctx, who, req, hex.EncodeToString(sum[:]), service, s.stack.Sim.Region, time.Now())
	return req, err
}

// element is the text of the first XML element of that name.
func element(name string, xml []byte) string {
	match := regexp.MustCompile(`<` + name + `>([^<]*)</` + name + `>`).FindSubmatch(xml)
	if match == nil {
		return ""
	}
	return string(match[1])
}

// named is the credential that the script holds under a name.
func (s *script) named(name string) aws.Credentials {
	return aws.Credentials{
		AccessKeyID:     s.ts.Getenv(name + "_ACCESS"),
		SecretAccessKey: s.ts.Getenv(name + "_SECRET"),
		SessionToken:    s.ts.Getenv(name + "_TOKEN"),
	}
}

// keep puts a credential under a name; its secrets are secrets of the script.
func (s *script) keep(name string, c aws.Credentials) {
	for what, value := range map[string]string{"secret key": c.SecretAccessKey, "session token": c.SessionToken} {
		if value != "" {
			s.secrets.Add(name+"'s "+what, value)
		}
	}
	s.ts.Setenv(name+"_ACCESS", c.AccessKeyID)
	s.ts.Setenv(name+"_SECRET", c.SecretAccessKey)
	s.ts.Setenv(name+"_TOKEN", c.SessionToken)
}

// credential takes the credential out of the last answer, Vault's or AWS's; of
// the command api it may have the status before it.
func credential(s *script, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	answer := strings.TrimPrefix(s.ts.ReadFile("stdout"), "200\n")
	if !strings.HasPrefix(strings.TrimSpace(answer), "{") {
		s.keep(args[0], fromXML([]byte(answer)))
		return nil
	}
	var secret struct {
		LeaseID string `json:"lease_id"`
		Data    keys
		keys    // in answers of the simulator's control API
		containerKeys
	}
	if err := json.Unmarshal([]byte(answer), &secret); err != nil {
		return err
	}
	if secret.Data == (keys{}) {
		secret.Data = secret.keys
	}
	if secret.Data == (keys{}) {
		secret.Data = keys(secret.containerKeys)
	}
	s.ts.Setenv(args[0]+"_LEASE", secret.LeaseID)
	s.keep(args[0], aws.Credentials{
		AccessKeyID: secret.Data.AccessKey, SecretAccessKey: secret.Data.SecretKey, SessionToken: secret.Data.SessionToken,
	})
	return nil
}

// keys is a credential in JSON.
type keys struct {
	AccessKey    string `json:"access_key"`
	SecretKey    string `json:"secret_key"`
	SessionToken string `json:"session_token"`
}

// containerKeys is a credential in the form of AWS's container endpoint.
type containerKeys struct {
	AccessKey    string `json:"AccessKeyId"`
	SecretKey    string `json:"SecretAccessKey"`
	SessionToken string `json:"Token"`
}

// fromXML is the credential in an answer of AWS.
func fromXML(answer []byte) aws.Credentials {
	return aws.Credentials{
		AccessKeyID:     element("AccessKeyId", answer),
		SecretAccessKey: element("SecretAccessKey", answer),
		SessionToken:    element("SessionToken", answer),
	}
}

// iamUser makes an IAM user with one inline policy and a key.
func iamUser(s *script, args []string) error {
	if len(args) != 3 {
		return errUsage
	}
	name, user, policy := args[0], args[1], s.ts.ReadFile(args[2])
	if _, err := s.callAWS("ADMIN", "iam:CreateUser", map[string]string{"UserName": user}); err != nil {
		return err
	}
	_, err := s.callAWS("ADMIN", "iam:PutUserPolicy",
		map[string]string{"UserName": user, "PolicyName": "inline", "PolicyDocument": policy})
	if err != nil {
		return err
	}
	answer, err := s.callAWS("ADMIN", "iam:CreateAccessKey", map[string]string{"UserName": user})
	if err == nil {
		s.keep(name, fromXML([]byte(answer)))
	}
	return err
}

// simulator looks into the simulator, or makes it misbehave.
func simulator(s *script, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	verbs := map[string]func(context.Context, *script, []string) error{
		"users": listUsers, "calls": listCalls, "fault": fault, "clear": clearFaults, "post": post,
	}
	verb := verbs[args[0]]
	if verb == nil {
		return errUsage
	}
	return verb(s.ctx, s, args[1:])
}

func listUsers(ctx context.Context, s *script, args []string) error {
	names, err := s.stack.Sim.Users(ctx)
	if err != nil {
		return err
	}
	return s.matching(names, args)
}

func listCalls(ctx context.Context, s *script, args []string) error {
	calls, err := s.stack.Sim.Calls(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, c := range calls {
		lines = append(lines, fmt.Sprintf("%s %s by %s: %d %s %s", c.Action, c.Target, c.Caller, c.Status, c.Code, c.Fault))
	}
	return s.matching(lines, args)
}

// matching prints the lines that match the pattern and refuses if none does.
func (s *script) matching(lines, args []string) error {
	pattern, err := regexp.Compile(strings.Join(args, " "))
	if err != nil {
		return err
	}
	found := false
	for _, line := range lines {
		if pattern.MatchString(line) {
			found = true
			fmt.Fprintln(&s.stdout, line)
		}
	}
	if !found {
		return refusef("nothing matches %q", args)
	}
	return nil
}

// fault injects one fault. Values that look like numbers are sent as numbers.
func fault(ctx context.Context, s *script, args []string) error {
	params, err := s.pairs(args)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	separator := "{"
	for key, value := range params {
		if !regexp.MustCompile(`^[0-9]+$`).MatchString(value) {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(&body, "%s%q:%s", separator, key, value)
		separator = ","
	}
	body.WriteString("}")
	_, err = s.stack.Sim.Control(ctx, http.MethodPost, "faults", body.Bytes())
	return err
}

func clearFaults(ctx context.Context, s *script, _ []string) error {
	_, err := s.stack.Sim.Control(ctx, http.MethodDelete, "faults", nil)
	return err
}

// post sends a JSON body to any path of the control API.
func post(ctx context.Context, s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	answer, err := s.stack.Sim.Control(ctx, http.MethodPost, args[0], []byte(args[1]))
	s.stdout.Write(answer)
	return err
}
