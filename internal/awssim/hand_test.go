package awssim_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// interfere does something to a user of the bootstrap account.
func interfere(t *testing.T, sim *awssim.Sim, user string, act awssim.Act, value string) awssim.Credentials {
	t.Helper()
	out, err := sim.Interfere(awssim.Interference{User: user, Act: act, Value: value})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestInterfere looks at what somebody else did.
func TestInterfere(t *testing.T) {
	sim, endpoint, _ := started(t)
	first := sim.PutUser(account, "u", "")
	second := interfere(t, sim, "u", awssim.ActAddKey, "")
	interfere(t, sim, "u", awssim.ActDeactivateKey, first.AccessKey)
	interfere(t, sim, "u", awssim.ActAddLogin, "")
	interfere(t, sim, "u", awssim.ActPutPolicy, allow("*", "*"))
	interfere(t, sim, "u", awssim.ActRename, "renamed")
	got := []string{asks(t, as(endpoint, first)), asks(t, as(endpoint, second))}
	u := sim.State().Accounts[account].Users["renamed"]
	if diff := cmp.Diff([]string{"403 InvalidClientTokenId", "ok"}, got); diff != "" || !u.LoginProfile || u.InlinePolicies["foreign"] == "" {
		t.Errorf("%s\n%+v", diff, u)
	}
	interfere(t, sim, "renamed", awssim.ActDeleteKey, first.AccessKey)
	interfere(t, sim, "renamed", awssim.ActAddMFA, "")
	interfere(t, sim, "renamed", awssim.ActDelete, "")
	if left := sim.Users(account); len(left) != 0 || asks(t, as(endpoint, second)) == "ok" {
		t.Errorf("left: %v", left)
	}
}

// TestRotatedRootKey: somebody takes the root user's key away.
func TestRotatedRootKey(t *testing.T) {
	sim, endpoint, _ := started(t)
	old := sim.RootKey(account)
	fresh := interfere(t, sim, "", awssim.ActAddKey, "")
	interfere(t, sim, "", awssim.ActDeleteKey, old.AccessKey)
	got := []string{asks(t, as(endpoint, old)), asks(t, as(endpoint, fresh))}
	if diff := cmp.Diff([]string{"403 InvalidClientTokenId", "ok"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestInterfereRefuses(t *testing.T) {
	sim, endpoint, _ := started(t)
	sim.PutUser(account, "u", "")
	sim.PutUser(account, "u", "")
	for body, want := range map[string]string{
		`{"user":"u","act":"add-key"}`:                         "has 2 access keys",
		`{"user":"u","act":"explode"}`:                         "is none of add-key",
		`{"user":"nobody","act":"add-login"}`:                  "no user",
		`{"act":"add-login"}`:                                  "no user",
		`{"account":"210987654321","user":"u","act":"delete"}`: "no account",
		`{"user":"u","act":"delete-key","value":"AKIA"}`:       "has no access key",
		`{"user":"u","act":"attach-policy","value":"x"}`:       "no policy",
		`{"user":"u","act":"put-policy","value":"{}"}`:         "MalformedPolicyDocument",
		`{"user":"u","act":"rename","value":"admin"}`:          "is taken",
		`{"user":"u","act":"add-login","how":"quietly"}`:       "unknown field",
	} {
		if status, answer := control(t, endpoint, "POST", "interfere", body); status != 400 || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s, want %q", body, status, answer, want)
		}
	}
	key := mustControl[awssim.Credentials](t, endpoint, "POST", "interfere", `{"user":"","act":"add-key"}`)
	if asks(t, as(endpoint, key)) != "ok" {
		t.Error("the new key does not work")
	}
}
