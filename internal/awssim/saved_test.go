package awssim_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// furnished puts one of everything into a simulator and returns who can call
// it.
func furnished(t *testing.T, sim *awssim.Sim, endpoint string, admin actor) map[string]actor {
	t.Helper()
	sim.PutGroup(account, "g", allow("ec2:*", "*"))
	arn := sim.PutPolicy(account, "p", allow("s3:*", "*"))
	role := sim.PutRole(account, "r", trusting(account), allow("iam:ListUsers", "*"))
	u := sim.PutUser(account, "u", allow("sts:* ec2:*", "*"))
	far := sim.AddAccountIn("cn-north-1", other)
	for _, act := range []awssim.Act{awssim.ActAddLogin, awssim.ActAddMFA, awssim.ActAddSSHKey, awssim.ActAddServiceKey} {
		interfere(t, sim, "u", act, "")
	}
	walk(t, admin, []step{
		{"Action=AddUserToGroup&UserName=u&GroupName=g", "200"},
		{"Action=AttachUserPolicy&UserName=u&PolicyArn=" + arn, "200"},
		{"Action=PutUserPermissionsBoundary&UserName=u&PermissionsBoundary=arn:aws:iam::aws:policy/AdministratorAccess", "200"},
		{"Action=TagRole&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v", "200"},
		{"Action=CreatePolicyVersion&SetAsDefault=true&PolicyDocument=" + allow("s3:Get*", "*") + "&PolicyArn=" + arn, "200"},
		{"Action=CreateOpenIDConnectProvider&Url=https://id.example&ThumbprintList.member.1=" + strings.Repeat("a", 40), "200"},
	})
	user := as(endpoint, u)
	fed := must(user.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed"), Policy: aws.String(allow("ec2:*", "*"))}))
	return map[string]actor{
		"admin": admin, "root": as(endpoint, sim.RootKey(account)), "user": user, "far": as(endpoint, far),
		"role": withSession(endpoint, assume(t, admin, role)), "federated user": withSession(endpoint, fed.Credentials),
	}
}

// TestSaveAndLoad: what is saved and loaded is the same account, for those
// who look at it and for those who call it.
func TestSaveAndLoad(t *testing.T) {
	sim, endpoint, admin := started(t, awssim.Options{Seed: 5})
	who := furnished(t, sim, endpoint, admin)
	var first, again bytes.Buffer
	if err := sim.Save(&first); err != nil {
		t.Fatal(err)
	}
	next, nextEndpoint, _ := started(t, awssim.Options{Seed: 5})
	if err := next.Load(bytes.NewReader(first.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := next.Save(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), again.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sim.State(), next.State()); diff != "" {
		t.Error(diff)
	}
	for name, a := range who {
		moved := a.cfg
		moved.BaseEndpoint = &nextEndpoint
		if name == "far" {
			moved.Region = "cn-north-1"
		}
		if got := asks(t, actorOf(moved)); got != "ok" {
			t.Errorf("%s: %s", name, got)
		}
	}
	moved := who["federated user"].cfg
	if status, body := describeRegions(t, nextEndpoint, moved); status != 200 {
		t.Errorf("the session policy was lost: %d %s", status, body)
	}
	moved = admin.cfg
	moved.BaseEndpoint = &nextEndpoint
	made := must(actorOf(moved).iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("later")}))
	for _, u := range sim.State().Accounts[account].Users {
		if u.ID == *made.User.UserId {
			t.Errorf("id %s was given twice", u.ID)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	sim, endpoint, admin := started(t)
	before := sim.State()
	for body, want := range map[string]string{
		`{`:             "unexpected EOF",
		`{"format":99}`: "state of format 99",
		`{"format":1,"accounts":[{"ID":"1","Region":"us-east-1"}]}`:                                                     "is not twelve digits",
		`{"format":1,"accounts":[{"ID":"210987654321","Region":"us-east-1","Users":[{"Name":"u","Attached":["x"]}]}]}`:  "no policy x",
		`{"format":1,"sessions":[{"ID":"ASIA","Account":"210987654321"}]}`:                                              "no account",
		`{"format":1,"accounts":[{"ID":"210987654321","Region":"us-east-1","Roles":[{"Name":"r","Trust":"no JSON"}]}]}`: "invalid Json",
	} {
		if status, answer := control(t, endpoint, "POST", "load", body); status != 400 || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s, want %q", body, status, answer, want)
		}
	}
	if diff := cmp.Diff(before, sim.State()); diff != "" {
		t.Errorf("a refused state changed the account: %s", diff)
	}
	_, saved := control(t, endpoint, "GET", "save", "")
	mustCreateUser(t, admin, "later")
	mustControl[struct{}](t, endpoint, "POST", "load", saved)
	if diff := cmp.Diff(before, sim.State()); diff != "" {
		t.Errorf("loaded another state than was saved: %s", diff)
	}
}
