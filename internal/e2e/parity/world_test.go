package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

// The names in the account at the beginning of every case, and in the cases.
const (
	account   = "123456789012"
	rootUser  = "vault-root" // whose key is in config/root
	appUser   = "legacy-app" // has one key
	twoKeys   = "two-keys"   // has two
	group     = "engineers"  // has a managed and an inline policy
	emptyTeam = "nobodies"   // has no policies
	iamRole   = "arn:aws:iam::123456789012:role/deploy"
	otherRole = "arn:aws:iam::123456789012:role/audit"
	extRole   = "arn:aws:iam::123456789012:role/partner" // asks for the external id "shared"
	denied    = "arn:aws:iam::123456789012:role/closed"  // trusts nobody
	boundary  = "arn:aws:iam::123456789012:policy/boundary"
	mfaDevice = "arn:aws:iam::123456789012:mfa/vault-root" // of rootUser
	readOnly  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	noPolicy  = "arn:aws:iam::123456789012:policy/absent"

	ec2Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
	s3Policy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	allPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// A world is what both sides have at the beginning of every case.
type world struct {
	ctx      context.Context
	root     awssim.Credentials // of rootUser
	seed     []byte             // of mfaDevice
	baseline []byte             // the account
	sides    [2]*side
}

// A side is one of the two engines, mounted in a Vault server of its own, with a
// simulated AWS of its own.
type side struct {
	*world
	stack  *devstack.Stack
	mount  string // builtin/ or plugin/
	plugin string // version to mount

	lease string // of the last credential
	user  string // the last IAM user that was made

	before *awssim.Account // the account since the last request; nil if something happened to it
}

// mustWorld starts the processes and makes the account.
func mustWorld(t *testing.T) *world {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	version, err := binaries.PluginVersion()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{ctx: t.Context()}
	w.sides = [2]*side{
		{world: w, stack: mustStack(t, binaries), mount: "builtin/", plugin: "v1.21.1+builtin.vault"},
		{world: w, stack: mustStack(t, binaries), mount: "plugin/", plugin: version},
	}
	for _, s := range w.sides {
		if err := s.register(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.populate(w.sides[0].stack.Sim); err != nil {
		t.Fatal(err)
	}
	return w
}

func mustStack(t *testing.T, binaries devstack.Binaries) *devstack.Stack {
	t.Helper()
	stack, err := devstack.Start(t.Context(), devstack.Spec{Binaries: binaries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return stack
}

// register registers the plugin, and mounts it once for good: its process would
// else end and start with every case.
func (s *side) register() error {
	args, err := s.stack.Binaries.RegisterArgs("aws")
	if err != nil {
		return err
	}
	if out, err := s.stack.Command(s.ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("register the plugin: %w: %s", err, out)
	}
	return errors.Join(s.enable("warm/"), s.enable(s.mount))
}

func (s *side) enable(mount string) error {
	return s.must("POST", "sys/mounts/"+strings.TrimSuffix(mount, "/"), object{"type": "aws", "config": object{"plugin_version": s.plugin}})
}

// populate makes what is in the account and keeps a copy.
func (w *world) populate(sim *devstack.Sim) error {
	api := iam.New(iam.Options{
		Region: sim.Region, BaseEndpoint: &sim.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(sim.AccessKey, sim.SecretKey, ""),
	})
	p := &population{ctx: w.ctx, iam: api}
	w.root = p.user(rootUser)
	w.seed = p.mfa(rootUser)
	p.user(appUser)
	p.user(twoKeys)
	p.key(twoKeys)
	p.group(emptyTeam)
	p.group(group)
	p.grantGroup(group)
	p.policy("boundary", allPolicy)
	anyone := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]%s}]}`
	p.role("deploy", fmt.Sprintf(anyone, ""))
	p.role("audit", fmt.Sprintf(anyone, ""))
	p.role("partner", fmt.Sprintf(anyone, `,"Condition":{"StringEquals":{"sts:ExternalId":"shared"}}`))
	p.role("closed", strings.Replace(fmt.Sprintf(anyone, ""), `{"AWS":"arn:aws:iam::123456789012:root"}`, `{"Service":"ec2.amazonaws.com"}`, 1))
	if p.err != nil {
		return p.err
	}
	var err error
	w.baseline, err = sim.Control(w.ctx, http.MethodGet, "save", nil)
	return err
}

// A population makes IAM entities until one fails.
type population struct {
	ctx context.Context
	iam *iam.Client
	err error
}

func (p *population) do(call func() error) {
	if p.err == nil {
		p.err = call()
	}
}

// user makes a user that may do everything, and a key.
func (p *population) user(name string) awssim.Credentials {
	p.do(func() error {
		_, err := p.iam.CreateUser(p.ctx, &iam.CreateUserInput{UserName: &name})
		return err
	})
	p.do(func() error {
		_, err := p.iam.PutUserPolicy(p.ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(allPolicy)})
		return err
	})
	return p.key(name)
}

func (p *population) key(user string) (c awssim.Credentials) {
	p.do(func() error {
		out, err := p.iam.CreateAccessKey(p.ctx, &iam.CreateAccessKeyInput{UserName: &user})
		if err == nil {
			c.AccessKey, c.SecretKey = *out.AccessKey.AccessKeyId, *out.AccessKey.SecretAccessKey
		}
		return err
	})
	return c
}

// mfa gives a user a virtual MFA device and returns its seed.
func (p *population) mfa(user string) (seed []byte) {
	var serial *string
	p.do(func() error {
		out, err := p.iam.CreateVirtualMFADevice(p.ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &user})
		if err == nil {
			seed, serial = out.VirtualMFADevice.Base32StringSeed, out.VirtualMFADevice.SerialNumber
		}
		return err
	})
	p.do(func() error {
		before, now := mfaCode(seed, -1), mfaCode(seed, 0)
		_, err := p.iam.EnableMFADevice(p.ctx, &iam.EnableMFADeviceInput{UserName: &user, SerialNumber: serial, AuthenticationCode1: &before, AuthenticationCode2: &now})
		return err
	})
	return seed
}

// mfaCode is what the device shows some steps of 30 seconds from now.
func mfaCode(seed []byte, steps int) string {
	text, err := awssim.TOTP(string(seed), time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		panic(err) // of a seed that the simulator made
	}
	return text
}

func (p *population) group(name string) {
	p.do(func() error {
		_, err := p.iam.CreateGroup(p.ctx, &iam.CreateGroupInput{GroupName: &name})
		return err
	})
}

func (p *population) grantGroup(name string) {
	p.do(func() error {
		_, err := p.iam.AttachGroupPolicy(p.ctx, &iam.AttachGroupPolicyInput{GroupName: &name, PolicyArn: aws.String(readOnly)})
		return err
	})
	p.do(func() error {
		_, err := p.iam.PutGroupPolicy(p.ctx, &iam.PutGroupPolicyInput{GroupName: &name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(s3Policy)})
		return err
	})
}

func (p *population) policy(name, document string) {
	p.do(func() error {
		_, err := p.iam.CreatePolicy(p.ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &document})
		return err
	})
}

func (p *population) role(name, trust string) {
	p.do(func() error {
		_, err := p.iam.CreateRole(p.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust, MaxSessionDuration: aws.Int32(43200)})
		return err
	})
	p.do(func() error {
		_, err := p.iam.TagRole(p.ctx, &iam.TagRoleInput{RoleName: &name, Tags: []types.Tag{{Key: aws.String("of"), Value: aws.String("parity")}}})
		return err
	})
}

// reset gives a side a new mount, and brings the account to what it was at first.
func (s *side) reset(c sitting) error {
	s.lease, s.user, s.before = "", "", nil
	if _, err := s.stack.Sim.Control(s.ctx, http.MethodDelete, "faults", nil); err != nil {
		return err
	}
	if err := s.must("POST", "sys/leases/revoke-force/"+strings.TrimSuffix(s.mount, "/"), nil); err != nil {
		return err
	}
	if err := s.must("DELETE", "sys/mounts/"+strings.TrimSuffix(s.mount, "/"), nil); err != nil {
		return err
	}
	if _, err := s.stack.Sim.Control(s.ctx, http.MethodPost, "load", s.baseline); err != nil {
		return err
	}
	if err := s.enable(s.mount); err != nil || c.bare {
		return err
	}
	config := s.config()
	maps.Copy(config, c.config)
	return s.must("POST", s.mount+"config/root", s.filled(config).(object))
}

// config is what config/root holds unless a case says otherwise.
func (w *world) config() object {
	return object{
		"access_key": w.root.AccessKey, "secret_key": w.root.SecretKey, "region": "us-east-1",
		"iam_endpoint": "$AWS", "sts_endpoint": "$AWS", "max_retries": 0,
	}
}

// must sends a request that Vault has to accept.
func (s *side) must(method, path string, body object) error {
	status, answer, err := s.send(method, path, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", method, path, status, answer)
	}
	return err
}

// send sends one request to Vault.
func (s *side) send(method, path string, body object) (status int, answer []byte, err error) {
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	req, err := http.NewRequestWithContext(s.ctx, method, s.stack.VaultAddr+"/v1/"+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Vault-Token", devstack.RootToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// request sends a request of a case to the side's mount.
func (s *side) request(r request) (status int, answer []byte, err error) {
	path := s.fill(r.path)
	if !strings.HasPrefix(path, "sys/") {
		path = s.mount + path
	}
	if len(r.query) > 0 {
		path += "?" + strings.ReplaceAll(r.query.Encode(), "%24MFA", s.fill("$MFA"))
	}
	body, _ := s.filled(r.body).(object)
	method := r.method
	if method == "HELP" {
		method = "GET"
	}
	status, answer, err = s.send(method, path, body)
	var secret struct {
		LeaseID string `json:"lease_id"`
	}
	if json.Unmarshal(answer, &secret) == nil && secret.LeaseID != "" {
		s.lease = secret.LeaseID
	}
	return status, answer, err
}

// fill replaces what requests and acts leave to the side. The MFA code is that of
// the step to come, since the device has used up the present one.
func (s *side) fill(text string) string {
	return strings.NewReplacer("$LEASE", s.lease, "$USER", s.user, "$MOUNT", s.mount, "$MFA", mfaCode(s.seed, 1), "$AWS", s.stack.Sim.Endpoint).Replace(text)
}

// filled is a JSON value with its texts filled.
func (s *side) filled(value any) any {
	switch v := value.(type) {
	case string:
		return s.fill(v)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = s.filled(v[i])
		}
		return all
	case object:
		if v == nil {
			return v
		}
		all := make(object, len(v))
		for name := range v {
			all[name] = s.filled(v[name])
		}
		return all
	}
	return value
}

// account is the simulated account as it is.
func (s *side) account() (awssim.Account, error) {
	state, err := s.stack.Sim.State(s.ctx)
	return state.Accounts[account], err
}

// accountBefore is the account as the last request left it.
func (s *side) accountBefore() (awssim.Account, error) {
	if s.before != nil {
		return *s.before, nil
	}
	return s.account()
}

// noteUser remembers the IAM user that a request made.
func (s *side) noteUser(before, after awssim.Account) {
	for _, name := range slices.Sorted(maps.Keys(after.Users)) {
		if _, old := before.Users[name]; !old {
			s.user = name
		}
	}
}
