package awssim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// exactly is a lag that is always the same.
func exactly(d time.Duration) awssim.Lag { return awssim.Lag{Least: d} }

// lagging is a simulator whose clock only Advance moves.
func lagging(t *testing.T, settings awssim.Settings) (*awssim.Sim, string, actor) {
	t.Helper()
	options := frozen()
	options.Settings = settings
	return started(t, options)
}

// asks is who the caller is, as an outcome.
func asks(t *testing.T, a actor) string {
	t.Helper()
	_, err := whoami(t.Context(), a)
	return outcome(err)
}

func mustCreateKey(t *testing.T, a actor, user string) awssim.Credentials {
	t.Helper()
	out, err := a.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		t.Fatal(err)
	}
	return awssim.Credentials{AccessKey: *out.AccessKey.AccessKeyId, SecretKey: *out.AccessKey.SecretAccessKey}
}

// TestKeyLag follows a key from its creation to its end. Signatures are
// checked by who learns late; IAM itself shows each change at once.
func TestKeyLag(t *testing.T) {
	sim, endpoint, admin := lagging(t, awssim.Settings{NewKeyLag: exactly(7 * time.Second), DeadKeyLag: exactly(4 * time.Second)})
	mustCreateUser(t, admin, "u")
	key := mustCreateKey(t, admin, "u")
	u := as(endpoint, key)
	status := func(status string) {
		must(admin.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: aws.String("u"), AccessKeyId: &key.AccessKey, Status: statusType(status)}))
	}
	var got []string
	look := func(after time.Duration) {
		sim.Advance(after)
		got = append(got, asks(t, u))
	}
	look(0)
	look(6 * time.Second)
	look(time.Second)
	status("Inactive")
	look(3 * time.Second)
	look(time.Second)
	status("Active")
	look(6 * time.Second)
	look(time.Second)
	must(admin.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("u"), AccessKeyId: &key.AccessKey}))
	if n := len(sim.State().Accounts[account].Users["u"].Keys); n != 0 {
		t.Errorf("IAM lists %d keys", n)
	}
	look(3 * time.Second)
	look(time.Second)
	const dead = "403 InvalidClientTokenId"
	if diff := cmp.Diff([]string{dead, dead, "ok", "ok", dead, dead, "ok", "ok", dead}, got); diff != "" {
		t.Error(diff)
	}
}

// TestDeadKeyMakesNoKeys: a deleted key that still works may not make others.
func TestDeadKeyMakesNoKeys(t *testing.T) {
	sim, endpoint, admin := lagging(t, awssim.Settings{DeadKeyLag: exactly(time.Minute)})
	creds := sim.PutUser(account, "u", allow("iam:*", "*"))
	dropKey(t, admin, creds)
	u := as(endpoint, creds)
	if got := asks(t, u); got != "ok" {
		t.Errorf("GetCallerIdentity: %s", got)
	}
	_, err := u.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("u")})
	wantOutcome(t, "CreateAccessKey", err, "403 InvalidClientTokenId")
}

// TestKeyNeverKnown: a key that is deleted before it worked never works.
func TestKeyNeverKnown(t *testing.T) {
	sim, endpoint, admin := lagging(t, awssim.Settings{NewKeyLag: exactly(time.Minute), DeadKeyLag: exactly(time.Hour)})
	mustCreateUser(t, admin, "u")
	key := mustCreateKey(t, admin, "u")
	key.UserName = "u"
	dropKey(t, admin, key)
	for range 3 {
		if got := asks(t, as(endpoint, key)); got != "403 InvalidClientTokenId" {
			t.Errorf("after %s: %s", sim.Now(), got)
		}
		sim.Advance(40 * time.Second)
	}
}

// TestPolicyLag: changes of policies have their effect late, in order.
func TestPolicyLag(t *testing.T) {
	sim, endpoint, admin := lagging(t, awssim.Settings{PolicyLag: exactly(4 * time.Second)})
	u := as(endpoint, sim.PutUser(account, "u", ""))
	put := func(document string) {
		must(admin.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("u"), PolicyName: aws.String("p"), PolicyDocument: &document}))
	}
	var got []string
	look := func(after time.Duration) {
		sim.Advance(after)
		_, err := u.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		got = append(got, outcome(err))
	}
	put(allow("iam:ListUsers", "*"))
	look(0)
	sim.Advance(2 * time.Second)
	put(policy("Deny", "iam:ListUsers", "*"))
	look(0)
	look(2 * time.Second)
	look(time.Second)
	look(time.Second)
	must(admin.iam.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: aws.String("u"), PolicyName: aws.String("p")}))
	must(admin.iam.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("g")}))
	must(admin.iam.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))
	must(admin.iam.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("u")}))
	look(3 * time.Second)
	look(time.Second)
	const denied = "403 AccessDenied"
	if diff := cmp.Diff([]string{denied, denied, "ok", "ok", denied, denied, "ok"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestNewRoleLag: a role cannot be assumed the moment it is made.
func TestNewRoleLag(t *testing.T) {
	sim, _, admin := lagging(t, awssim.Settings{PolicyLag: exactly(5 * time.Second)})
	must(admin.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trusting(account))}))
	_, early := tryAssume(t, admin, "arn:aws:iam::123456789012:role/r")
	sim.Advance(5 * time.Second)
	_, later := tryAssume(t, admin, "arn:aws:iam::123456789012:role/r")
	if diff := cmp.Diff([]string{"403 AccessDenied", "ok"}, []string{outcome(early), outcome(later)}); diff != "" {
		t.Error(diff)
	}
}

// TestStaleReads: for a while reads miss what is new and show what is gone,
// and writes may not find what is new.
func TestStaleReads(t *testing.T) {
	sim, _, admin := lagging(t, awssim.Settings{StaleReads: 1, StaleLag: exactly(3 * time.Second)})
	sim.PutUser(account, "old", "")
	old := sim.State().Accounts[account].Users["old"].Keys[0].ID
	mustCreateUser(t, admin, "New")
	must(admin.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("old"), AccessKeyId: &old}))
	look := func() []string {
		_, get := admin.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("New")})
		_, write := admin.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("New")})
		for _, err := range []error{get, write} {
			if err != nil && !strings.Contains(err.Error(), "The user with name New cannot be found.") {
				t.Errorf("error %q does not name the user as the call does", err)
			}
		}
		users := must(admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{})).Users
		keys := must(admin.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("old")})).AccessKeyMetadata
		out := []string{outcome(get), outcome(write)}
		for _, u := range users {
			out = append(out, *u.UserName)
		}
		for range keys {
			out = append(out, "a key")
		}
		return out
	}
	if diff := cmp.Diff([]string{"404 NoSuchEntity", "404 NoSuchEntity", "admin", "old", "a key"}, look()); diff != "" {
		t.Errorf("at once: %s", diff)
	}
	sim.Advance(3 * time.Second)
	if diff := cmp.Diff([]string{"ok", "ok", "New", "admin", "old"}, look()); diff != "" {
		t.Errorf("3 s later: %s", diff)
	}
	if got := sim.Users(account); !cmp.Equal(got, []string{"New", "old"}) {
		t.Errorf("looking back changed the present: %v", got)
	}
}

// TestLagHasATail: lags are drawn, and long ones are rare.
func TestLagHasATail(t *testing.T) {
	sim, _, admin := lagging(t, awssim.Settings{NewKeyLag: awssim.Lag{Least: time.Second, Most: 9 * time.Second}, MaxSkew: time.Hour})
	known := map[time.Duration]int{}
	for i := range 60 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		mustCreateUser(t, admin, name)
		key := mustCreateKey(t, admin, name)
		who := as(*admin.cfg.BaseEndpoint, key)
		var waited time.Duration
		for asks(t, who) != "ok" {
			sim.Advance(time.Second)
			waited += time.Second
		}
		known[waited]++
	}
	if early := known[time.Second] + known[2*time.Second]; early < 25 || early > 50 || known[0] > 0 || known[10*time.Second] > 0 {
		t.Errorf("seconds until a key worked: %v", known)
	}
}
