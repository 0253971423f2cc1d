package awssim_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// TestSessionToken: temporary keys are worth nothing without their token.
func TestSessionToken(t *testing.T) {
	sim, endpoint, admin := started(t)
	c := assume(t, admin, sim.PutRole(account, "r", trusting(account), ""))
	for token, want := range map[string]string{
		*c.SessionToken: "ok", "": "403 InvalidClientTokenId", *c.SessionToken + "x": "403 InvalidClientTokenId",
	} {
		_, err := whoami(t.Context(), actorOf(simtest.Session(endpoint, *c.AccessKeyId, *c.SecretAccessKey, token)))
		wantOutcome(t, "token of "+strconv.Itoa(len(token)), err, want)
	}
}

// TestExpiry lets each kind of temporary credentials run out.
func TestExpiry(t *testing.T) {
	sim, endpoint, admin := started(t, awssim.Options{Settings: awssim.Settings{MaxSkew: 48 * time.Hour}})
	role := sim.PutRole(account, "r", trusting(account), "")
	federation := must(admin.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed")})).Credentials
	session := must(admin.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})).Credentials
	holders := map[time.Duration][]actor{
		time.Hour:      {withSession(endpoint, assume(t, admin, role))},
		12 * time.Hour: {withSession(endpoint, federation), withSession(endpoint, session)},
	}
	for _, step := range []struct {
		advance time.Duration
		want    map[time.Duration]string
	}{
		{55 * time.Minute, map[time.Duration]string{time.Hour: "ok", 12 * time.Hour: "ok"}},
		{10 * time.Minute, map[time.Duration]string{time.Hour: "403 ExpiredToken", 12 * time.Hour: "ok"}},
		{11 * time.Hour, map[time.Duration]string{time.Hour: "403 ExpiredToken", 12 * time.Hour: "403 ExpiredToken"}},
	} {
		sim.Advance(step.advance)
		for life, actors := range holders {
			for _, a := range actors {
				_, err := whoami(t.Context(), a)
				wantOutcome(t, life.String()+" credentials after another "+step.advance.String(), err, step.want[life])
			}
		}
	}
}

// TestMaxSession has every kind of temporary credentials end sooner than asked for.
func TestMaxSession(t *testing.T) {
	const most = 20 * time.Minute
	sim, _, admin := started(t, awssim.Options{Settings: awssim.Settings{MaxSession: most}})
	role := sim.PutRole(account, "r", trusting(account), "")
	long := aws.Int32(3600)
	for name, got := range map[string]*ststypes.Credentials{
		"assumed":    assume(t, admin, role),
		"federation": must(admin.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed"), DurationSeconds: long})).Credentials,
		"session":    must(admin.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: long})).Credentials,
		"short":      must(admin.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})).Credentials,
	} {
		want := map[string]time.Duration{"assumed": most, "federation": most, "session": most, "short": 15 * time.Minute}[name]
		if left := got.Expiration.Sub(sim.Now()); left > want || left < want-time.Minute {
			t.Errorf("%s: ends in %s", name, left)
		}
	}
}

// TestRestrictions is the table of what kind of credentials may call what,
// whatever its policies say.
func TestRestrictions(t *testing.T) {
	sim, endpoint, admin := started(t)
	everything := aws.String(allow("*", "*"))
	role := sim.PutRole(account, "r", trusting(account), *everything)
	root := as(endpoint, sim.RootKey(account))
	federate := func(a actor) (*sts.GetFederationTokenOutput, error) {
		return a.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed"), Policy: everything})
	}
	kinds := map[string]actor{
		"root":               root,
		"user":               admin,
		"role":               withSession(endpoint, assume(t, admin, role)),
		"federation":         withSession(endpoint, must(federate(admin)).Credentials),
		"federation of root": withSession(endpoint, must(federate(root)).Credentials),
		"session":            withSession(endpoint, must(admin.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})).Credentials),
	}
	const invalid, refused, denied = "403 InvalidClientTokenId", "403 AccessDenied", "403 AccessDenied"
	for kind, want := range map[string]map[string]string{
		"root":               {"identity": "ok", "iam": "ok", "federation": "ok", "session": "ok", "assume": refused, "ec2": "200"},
		"user":               {"identity": "ok", "iam": "ok", "federation": "ok", "session": "ok", "assume": "ok", "ec2": "200"},
		"role":               {"identity": "ok", "iam": "ok", "federation": refused, "session": refused, "assume": "ok", "ec2": "200"},
		"federation":         {"identity": "ok", "iam": invalid, "federation": refused, "session": refused, "assume": denied, "ec2": "200"},
		"federation of root": {"identity": "ok", "iam": invalid, "federation": refused, "session": refused, "assume": denied, "ec2": "200"},
		"session":            {"identity": "ok", "iam": invalid, "federation": refused, "session": refused, "assume": "ok", "ec2": "200"},
	} {
		t.Run(kind, func(t *testing.T) {
			a := kinds[kind]
			_, identity := whoami(t.Context(), a)
			_, list := a.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
			_, fed := federate(a)
			_, session := a.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
			_, assumed := tryAssume(t, a, role)
			status, _ := describeRegions(t, endpoint, a.cfg)
			got := map[string]string{
				"identity": outcome(identity), "iam": outcome(list), "federation": outcome(fed), "session": outcome(session),
				"assume": outcome(assumed), "ec2": map[int]string{200: "200"}[status],
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := federate(kinds["role"])
	if want := "403 AccessDenied: Cannot call GetFederationToken with session credentials"; said(err) != want {
		t.Errorf("got %s, want %s", said(err), want)
	}
}

// TestFederationPolicies proves by use that a federation token may do what
// both the user's and the session's policies allow.
func TestFederationPolicies(t *testing.T) {
	const ec2, s3 = "ec2:*", "s3:*"
	sim, endpoint, admin := started(t)
	readEC2 := []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")}}
	for _, tc := range []struct {
		name   string
		user   string
		policy *string
		arns   []ststypes.PolicyDescriptorType
		status int
	}{
		{"both allow", allow(ec2+" sts:GetFederationToken", "*"), aws.String(allow(ec2, "*")), nil, 200},
		{"both allow, managed", allow(ec2+" sts:GetFederationToken", "*"), nil, readEC2, 200},
		{"only the session", allow("sts:GetFederationToken", "*"), aws.String(allow(ec2, "*")), nil, 403},
		{"only the user", allow(ec2+" sts:GetFederationToken", "*"), aws.String(allow(s3, "*")), nil, 403},
		{"only the user, no session policy", allow(ec2+" sts:GetFederationToken", "*"), nil, nil, 403},
		{"the session denies", allow(ec2+" sts:GetFederationToken", "*"), aws.String(policy("Deny", ec2, "*")), readEC2, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			creds := sim.PutUser(account, "root", tc.user)
			out, err := as(endpoint, creds).sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{
				Name: aws.String("deploy"), Policy: tc.policy, PolicyArns: tc.arns,
			})
			if err != nil {
				t.Fatal(err)
			}
			if *out.FederatedUser.Arn != "arn:aws:sts::123456789012:federated-user/deploy" || *out.FederatedUser.FederatedUserId != account+":deploy" {
				t.Errorf("federated user %+v", out.FederatedUser)
			}
			if status, body := describeRegions(t, endpoint, withSession(endpoint, out.Credentials).cfg); status != tc.status {
				t.Errorf("DescribeRegions: %d, want %d\n%s", status, tc.status, body)
			}
			dropKey(t, admin, creds)
		})
	}
	nobody := as(endpoint, sim.PutUser(account, "nobody", ""))
	_, err := nobody.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("deploy")})
	const want = "403 AccessDenied: User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: sts:GetFederationToken on resource: " +
		"arn:aws:sts::123456789012:federated-user/deploy because no identity-based policy allows the sts:GetFederationToken action"
	if said(err) != want {
		t.Errorf("got  %s\nwant %s", said(err), want)
	}
}

func TestSessionDurations(t *testing.T) {
	sim, endpoint, admin := started(t, frozen())
	root := as(endpoint, sim.RootKey(account))
	for _, tc := range []struct {
		name  string
		who   actor
		asked *int32
		want  time.Duration
	}{
		{"a user by default", admin, nil, 12 * time.Hour},
		{"a user's longest", admin, aws.Int32(129600), 36 * time.Hour},
		{"root by default", root, nil, time.Hour},
		{"root, cut", root, aws.Int32(7200), time.Hour},
		{"root, shorter", root, aws.Int32(900), 15 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			session := must(tc.who.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: tc.asked}))
			fed := must(tc.who.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed"), DurationSeconds: tc.asked}))
			got := []time.Duration{session.Credentials.Expiration.Sub(sim.Now()), fed.Credentials.Expiration.Sub(sim.Now())}
			if diff := cmp.Diff([]time.Duration{tc.want, tc.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSessionOfADeletedOwner: temporary credentials end with the user or the
// role they come from.
func TestSessionOfADeletedOwner(t *testing.T) {
	sim, endpoint, admin := started(t)
	creds := sim.PutUser(account, "u", "")
	session := withSession(endpoint, must(as(endpoint, creds).sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})).Credentials)
	role := withSession(endpoint, assume(t, admin, sim.PutRole(account, "r", trusting(account), "")))
	must(admin.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("u"), AccessKeyId: &creds.AccessKey}))
	must(whoami(t.Context(), session)) // it outlives the key it was made with
	must(admin.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("u")}))
	must(admin.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("r")}))
	for what, a := range map[string]actor{"session of a deleted user": session, "session of a deleted role": role} {
		_, err := whoami(t.Context(), a)
		wantOutcome(t, what, err, "403 InvalidClientTokenId")
	}
}

func TestAccessKeyInfo(t *testing.T) {
	sim, _, admin := started(t)
	sim.AddAccount(other)
	creds := sim.PutUser(other, "u", "")
	out := must(admin.sts.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &creds.AccessKey}))
	if *out.Account != other {
		t.Errorf("account %s", *out.Account)
	}
}

func TestPackedPolicySize(t *testing.T) {
	_, _, admin := started(t)
	in := &sts.GetFederationTokenInput{Name: aws.String("fed"), Policy: aws.String(allow("s3:*", "*"))}
	small := *must(admin.sts.GetFederationToken(t.Context(), in)).SessionTokenUtilization
	in.Tags = []ststypes.Tag{{Key: aws.String("key"), Value: aws.String(strings.Repeat("v", 40))}}
	large := *must(admin.sts.GetFederationToken(t.Context(), in)).SessionTokenUtilization
	if small < 1 || large <= small || large > 100 {
		t.Errorf("%d %%, with a tag %d %%", small, large)
	}
	for i := range 9 {
		in.Tags = append(in.Tags, ststypes.Tag{Key: aws.String(string(rune('a' + i))), Value: aws.String(strings.Repeat("v", 250))})
	}
	_, err := admin.sts.GetFederationToken(t.Context(), in)
	wantOutcome(t, "nine tags of 250", err, "400 PackedPolicyTooLarge")
}
