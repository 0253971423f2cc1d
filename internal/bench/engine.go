package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/awssim"
)

const (
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	something  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`
	group      = "engineers"
	iamRole    = "Deployer"
	policies   = 10 // managed, of the account: policy0 to policy9
)

// account is a simulated account as its administrator sees it.
type account struct {
	awssim.Credentials
	iam *iam.Client
}

// newAccount makes an account with what roles name.
func (w *world) newAccount(ctx context.Context) (*account, error) {
	w.made++
	asked := fmt.Appendf(nil, `{"account":"%012d"}`, 200000000000+w.made)
	text, err := w.sim.Control(ctx, http.MethodPost, "accounts", asked)
	if err != nil {
		return nil, err
	}
	a := new(account)
	if err := json.Unmarshal(text, &a.Credentials); err != nil {
		return nil, err
	}
	a.iam = iam.New(iam.Options{
		Region: w.sim.Region, BaseEndpoint: &w.sim.Endpoint, HTTPClient: w.sim.HTTP,
		Credentials: credentials.NewStaticCredentialsProvider(a.AccessKey, a.SecretKey, ""),
	})
	return a, a.populate(ctx)
}

func (a *account) populate(ctx context.Context) error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
		a.Account + `:root"},"Action":"sts:AssumeRole"}]}`
	if _, err := a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(iamRole), AssumeRolePolicyDocument: &trust}); err != nil {
		return err
	}
	if _, err := a.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String(group)}); err != nil {
		return err
	}
	for i := range policies {
		in := &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("policy%d", i)), PolicyDocument: aws.String(something)}
		if _, err := a.iam.CreatePolicy(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// arn is an ARN of the account, of "role/Deployer" for example.
func (a *account) arn(resource string) string { return "arn:aws:iam::" + a.Account + ":" + resource }

// policyARNs are so many of the account's managed policies.
func (a *account) policyARNs(count int) (arns []string) {
	for i := range count {
		arns = append(arns, a.arn(fmt.Sprintf("policy/policy%d", i)))
	}
	return arns
}

// rootUser is the name of an engine's user, whose key its config/root has.
func rootUser(of side) string { return "engine-" + of.String() }

// enroll makes a user that may do everything, and its key.
func (a *account) enroll(ctx context.Context, name string) (key awssim.Credentials, err error) {
	if _, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		return key, err
	}
	grant := &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("all"), PolicyDocument: aws.String(everything)}
	if _, err := a.iam.PutUserPolicy(ctx, grant); err != nil {
		return key, err
	}
	out, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return key, err
	}
	return awssim.Credentials{Account: a.Account, UserName: name, AccessKey: *out.AccessKey.AccessKeyId, SecretKey: *out.AccessKey.SecretAccessKey}, nil
}

// engine is a mount of one of the engines.
type engine struct {
	*world
	side    side
	mount   string
	account *account
	root    awssim.Credentials
}

// together mounts both engines on one new account.
func (w *world) together(ctx context.Context) (pair [2]*engine, err error) {
	a, err := w.newAccount(ctx)
	if err != nil {
		return pair, err
	}
	for _, s := range []side{builtin, ours} {
		if pair[s], err = w.mountOn(ctx, s, a); err != nil {
			return pair, err
		}
	}
	return pair, nil
}

// alone mounts an engine on a new account.
func (w *world) alone(ctx context.Context, s side) (*engine, error) {
	a, err := w.newAccount(ctx)
	if err != nil {
		return nil, err
	}
	return w.mountOn(ctx, s, a)
}

// mountOn mounts an engine; it has no roles yet.
func (w *world) mountOn(ctx context.Context, s side, a *account) (*engine, error) {
	key, err := a.enroll(ctx, rootUser(s))
	if err != nil {
		return nil, err
	}
	w.made++
	e := &engine{world: w, side: s, mount: fmt.Sprintf("%s-%d", s, w.made), account: a, root: key}
	return e, e.enable(ctx)
}

// enable makes the mount and its configuration.
func (e *engine) enable(ctx context.Context) error {
	version := [...]string{builtinVersion, e.version}[e.side]
	enable := map[string]any{"type": "aws", "config": map[string]string{"plugin_version": version}}
	if err := e.vault.Fetch(ctx, http.MethodPost, "sys/mounts/"+e.mount, enable, nil); err != nil {
		return err
	}
	return e.write(ctx, "config/root", map[string]any{
		"access_key": e.root.AccessKey, "secret_key": e.root.SecretKey,
		"region": e.sim.Region, "iam_endpoint": e.sim.Endpoint, "sts_endpoint": e.sim.Endpoint,
	})
}

// disable ends the mount; its leases are forgotten.
func (e *engine) disable(ctx context.Context) error {
	if err := e.vault.Fetch(ctx, http.MethodPost, "sys/leases/revoke-force/"+e.mount, nil, nil); err != nil {
		return err
	}
	return e.vault.Fetch(ctx, http.MethodDelete, "sys/mounts/"+e.mount, nil, nil)
}

func (e *engine) write(ctx context.Context, path string, body map[string]any) error {
	return e.vault.Fetch(ctx, http.MethodPost, e.mount+"/"+path, body, nil)
}

// credential is what issuing answers.
type credential struct {
	LeaseID string `json:"lease_id"`
	Data    struct {
		AccessKey  string    `json:"access_key"`
		SecretKey  string    `json:"secret_key"`
		ReadyAfter time.Time `json:"ready_after"` // of ours, with propagation_timeout
	}
}

// issue reads a credential of a role.
func (e *engine) issue(ctx context.Context, role string) (c credential, err error) {
	err = e.vault.Fetch(ctx, http.MethodGet, e.mount+"/creds/"+role, nil, &c)
	if err == nil && c.Data.AccessKey == "" {
		err = fmt.Errorf("read %s: an answer without a key", role)
	}
	return c, err
}

// revoke ends a lease and waits for it.
func (e *engine) revoke(ctx context.Context, lease string) error {
	return e.vault.Fetch(ctx, http.MethodPut, "sys/leases/revoke", map[string]any{"lease_id": lease, "sync": true}, nil)
}

// calls are the calls of AWS since a mark that the engine has made.
func (e *engine) calls(ctx context.Context, mark int64) (own []awssim.Call, err error) {
	all, err := e.callsSince(ctx, mark)
	for _, c := range all {
		if c.AccessKey == e.root.AccessKey {
			own = append(own, c)
		}
	}
	return own, err
}

// users are the names of the account's users that leases were made for.
func (e *engine) users(ctx context.Context) (users map[string]awssim.User, err error) {
	state, err := e.sim.State(ctx)
	users = map[string]awssim.User{}
	for name, user := range state.Accounts[e.account.Account].Users {
		if name != e.account.UserName && name != rootUser(builtin) && name != rootUser(ours) {
			users[name] = user
		}
	}
	return users, err
}
