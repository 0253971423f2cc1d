package endurance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

const (
	mount  = "aws"
	engine = "engine" // the IAM user whose keys the mount has

	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	something  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`
)

// roles is a role of each type by the name of its type.
var roles = []string{"iam_user", "assumed_role", "federation_token", "session_token"}

// account is the simulated account as its administrator sees it.
type account struct {
	sim *devstack.Sim
	iam *iam.Client
}

func newAccount(sim *devstack.Sim) account {
	return account{sim: sim, iam: iam.New(iam.Options{
		Region: sim.Region, BaseEndpoint: &sim.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(sim.AccessKey, sim.SecretKey, ""),
	})}
}

// putUser makes a user that may do everything.
func (a account) putUser(ctx context.Context, name string) error {
	if _, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		return err
	}
	_, err := a.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: &name, PolicyName: aws.String("all"), PolicyDocument: aws.String(everything),
	})
	return err
}

// putRole makes an IAM role that the account may assume.
func (a account) putRole(ctx context.Context, name string) (arn string, err error) {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
		a.sim.Account + `:root"},"Action":"sts:AssumeRole"}]}`
	out, err := a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err != nil {
		return "", err
	}
	return *out.Role.Arn, nil
}

// configure gives the account and the mount what they need: the root user and
// its key, and a role of each type.
func (a account) configure(ctx context.Context, v *vault) error {
	if err := a.putUser(ctx, engine); err != nil {
		return err
	}
	key, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(engine)})
	if err != nil {
		return err
	}
	arn, err := a.putRole(ctx, "Deployer")
	if err != nil {
		return err
	}
	for path, body := range map[string]map[string]any{
		"config/root": {
			"access_key": *key.AccessKey.AccessKeyId, "secret_key": *key.AccessKey.SecretAccessKey,
			"region": a.sim.Region, "iam_endpoint": a.sim.Endpoint, "sts_endpoint": a.sim.Endpoint,
		},
		"roles/iam_user":         {"credential_type": "iam_user", "policy_document": something},
		"roles/assumed_role":     {"credential_type": "assumed_role", "role_arns": arn},
		"roles/federation_token": {"credential_type": "federation_token", "policy_document": something},
		"roles/session_token":    {"credential_type": "session_token"},
	} {
		if err := v.insist(ctx, http.MethodPost, mount+"/"+path, body, nil); err != nil {
			return fmt.Errorf("configure: %w", err)
		}
	}
	return nil
}

// callsSince are the calls of AWS after one of them.
func (a account) callsSince(ctx context.Context, sequence int64) (calls []awssim.Call, err error) {
	answer, err := a.sim.Control(ctx, http.MethodGet, fmt.Sprintf("journal?since=%d", sequence), nil)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(answer, &calls)
	return calls, err
}

// lastCall is the latest call of AWS, at or after one that is known.
func (a account) lastCall(ctx context.Context, known int64) (int64, error) {
	calls, err := a.callsSince(ctx, known)
	if len(calls) == 0 {
		return known, err
	}
	return calls[len(calls)-1].Sequence, err
}
