package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
	"vault-plugin-secrets-aws/internal/devstack"
)

// engine is one of the two that the matrix is run with.
type engine struct {
	name    string
	version string // that a mount is pinned to; "" is the registered plugin's
}

var (
	ours    = engine{name: "ours"}
	builtin = engine{name: "built-in", version: "v1.21.1+builtin.vault"}
)

// The fixture of a scene's account: what the engine is given, not what it makes.
const (
	rootUser   = "vault-root"
	staticUser = "application"
	group      = "team"
	mayAll     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}]}`
	mayEC2     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
)

// scene is a mount on an AWS of its own.
type scene struct {
	*lab
	engine   engine
	sim      *awssim.Sim
	endpoint string
	account  string
	policy   string // ARN of the fixture's customer managed policy
	mount    string // path, without a slash; it changes when the mount moves
	uuid     string // of its storage

	lease  string   // the last credential's
	spared []string // keys that were in force before the operation: nobody's fault if they stay
	ending bool     // the end of the leases was asked for: their keys need not work
}

// newScene starts the AWS of a scene. Nothing is mounted yet.
func newScene(t *testing.T, l *lab, e engine, mount string) *scene {
	sim, endpoint := simtest.Start(t)
	return &scene{lab: l, engine: e, sim: sim, endpoint: endpoint, account: sim.Admin().Account, mount: mount}
}

// furnished mounts the engine and writes its root config and a role.
func (s *scene) furnished() error {
	root := s.furnish()
	err := errors.Join(
		s.write("sys/mounts/"+s.mount, fields{"type": "aws", "config": fields{"plugin_version": s.engine.version}}),
		s.write(s.mount+"/config/root", fields{
			"access_key": root.AccessKey, "secret_key": root.SecretKey, "region": "us-east-1",
			"iam_endpoint": s.endpoint, "sts_endpoint": s.endpoint,
		}),
		s.write(s.mount+"/roles/deploy", fields{
			"credential_type": "iam_user", "policy_document": mayEC2, "policy_arns": []string{s.policy}, "iam_groups": []string{group},
		}),
	)
	if err == nil {
		s.uuid, err = s.storage()
	}
	return err
}

// furnish makes the fixture and returns the root user.
func (s *scene) furnish() awssim.Credentials {
	s.policy = s.sim.PutPolicy(s.account, "base", mayEC2)
	s.sim.PutGroup(s.account, group, mayEC2)
	application := s.sim.PutUser(s.account, staticUser, "")
	if _, err := s.sim.Interfere(awssim.Interference{User: staticUser, Act: awssim.ActDeleteKey, Value: application.AccessKey}); err != nil {
		panic(err)
	}
	return s.sim.PutUser(s.account, rootUser, mayAll)
}

// storage is the folder of the mount's storage, which moves with the mount.
func (s *scene) storage() (string, error) {
	var answer struct {
		Data map[string]struct{ UUID string }
	}
	if err := s.read("sys/mounts", &answer); err != nil {
		return "", err
	}
	m, ok := answer.Data[s.mount+"/"]
	if !ok {
		return "", fmt.Errorf("no mount %s", s.mount)
	}
	return m.UUID, nil
}

// moveTo moves the mount. Its leases are of the old path.
func (s *scene) moveTo(mount string) error {
	if err := s.move(s.mount, mount); err != nil {
		return err
	}
	s.mount = mount
	return nil
}

// issue reads a credential with a token and keeps its lease.
func (s *scene) issue(token string) error {
	var answer struct {
		LeaseID string `json:"lease_id"`
	}
	err := s.call(token, http.MethodGet, s.mount+"/creds/deploy", nil, &answer)
	s.lease = answer.LeaseID
	return err
}

func (s *scene) issueAsRoot() error { return s.issue(devstack.RootToken) }

// works reports whether AWS knows a key.
func (s *scene) works(key keyPair) bool {
	config := simtest.Session(s.endpoint, key.AccessKey, key.SecretKey, "")
	_, err := sts.NewFromConfig(config).GetCallerIdentity(context.WithoutCancel(s.ctx), &sts.GetCallerIdentityInput{})
	return err == nil
}

// keyPair is a key as records and leases hold it.
type keyPair struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}
