package awssim_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

func tryAssume(t *testing.T, a actor, role string) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	return a.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("ss")})
}

func assume(t *testing.T, a actor, role string) *ststypes.Credentials {
	t.Helper()
	out, err := tryAssume(t, a, role)
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}

// TestAssumeRole is the matrix of who trusts whom.
func TestAssumeRole(t *testing.T) {
	const (
		may      = "sts:AssumeRole"
		nothing  = ""
		self     = "arn:aws:iam::123456789012:user/self"
		stranger = "arn:aws:iam::210987654321:user/stranger"
	)
	sim, endpoint, admin := started(t)
	admins := map[string]actor{account: admin, other: as(endpoint, sim.AddAccount(other))}
	sim.PutUser(account, "self", "")
	sim.PutUser(other, "stranger", "")
	denied := func(who, role string) string {
		return "403 AccessDenied: User: " + who + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/" + role
	}
	const noPolicy = " because no identity-based policy allows the sts:AssumeRole action"
	for name, tc := range map[string]struct {
		home   string // account of the caller
		policy string // of the caller
		trust  string // "": no such role
		want   string
	}{
		"named-unallowed":          {account, nothing, trusting(self), "ok"},
		"named-allowed":            {account, allow(may, "*"), trusting(self), "ok"},
		"named-denied":             {account, policy("Deny", may, "*"), trusting(self), denied(self, "named-denied") + " with an explicit deny in an identity-based policy"},
		"account-allowed":          {account, allow(may, "*"), trusting("arn:aws:iam::123456789012:root"), "ok"},
		"account-id-allowed":       {account, allow(may, "*"), trusting(account), "ok"},
		"account-unallowed":        {account, nothing, trusting("arn:aws:iam::123456789012:root"), denied(self, "account-unallowed") + noPolicy},
		"account-other-resource":   {account, allow(may, "arn:aws:iam::123456789012:role/x"), trusting(account), denied(self, "account-other-resource") + noPolicy},
		"everybody":                {account, nothing, trusting("*"), "ok"},
		"untrusted":                {account, allow(may, "*"), trusting(other), denied(self, "untrusted")},
		"missing":                  {account, allow(may, "*"), "", denied(self, "missing")},
		"cross-both":               {other, allow(may, "*"), trusting(other), "ok"},
		"cross-named-both":         {other, allow(may, "*"), trusting(stranger), "ok"},
		"cross-named-unallowed":    {other, nothing, trusting(stranger), denied(stranger, "cross-named-unallowed")},
		"cross-untrusted":          {other, allow(may, "*"), trusting(account), denied(stranger, "cross-untrusted")},
		"cross-missing":            {other, allow(may, "*"), "", denied(stranger, "cross-missing")},
		"trust-denies":             {account, allow(may, "*"), `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"` + self + `"},"Action":"sts:AssumeRole"}]}`, denied(self, "trust-denies")},
		"external-id-missing":      {account, nothing, trustingIf(self, `{"StringEquals":{"sts:ExternalId":"x"}}`), denied(self, "external-id-missing")},
		"session-name-as-demanded": {account, nothing, trustingIf(self, `{"StringLike":{"sts:RoleSessionName":"s*"}}`), "ok"},
		"session-name-otherwise":   {account, nothing, trustingIf(self, `{"StringLike":{"sts:RoleSessionName":"t*"}}`), denied(self, "session-name-otherwise")},
	} {
		t.Run(name, func(t *testing.T) {
			user := map[string]string{account: "self", other: "stranger"}[tc.home]
			creds := sim.PutUser(tc.home, user, tc.policy)
			who := as(endpoint, creds)
			if tc.trust != "" {
				sim.PutRole(account, name, tc.trust, "")
			}
			_, err := tryAssume(t, who, "arn:aws:iam::123456789012:role/"+name)
			if got := said(err); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			dropKey(t, admins[tc.home], creds)
		})
	}
}

// dropKey makes room for the next key of a user.
func dropKey(t *testing.T, admin actor, c awssim.Credentials) {
	t.Helper()
	must(admin.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: &c.UserName, AccessKeyId: &c.AccessKey}))
}

// TestAssumeRoleParameters looks at what a session carries and how long.
func TestAssumeRoleParameters(t *testing.T) {
	sim, endpoint, admin := started(t)
	role := sim.PutRole(account, "r", trusting(account), allow("sts:* iam:*", "*"))
	bare := sim.PutRole(account, "bare", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}]}`, "")
	external := sim.PutRole(account, "external", trustingIf(account, `{"StringEquals":{"sts:ExternalId":"42"}}`), "")
	must(admin.iam.UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: aws.String("r"), MaxSessionDuration: aws.Int32(7200)}))
	chained := withSession(endpoint, assume(t, admin, role))
	tags := []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	managed := aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")
	for _, tc := range []struct {
		name   string
		who    actor
		change func(*sts.AssumeRoleInput)
		want   string
	}{
		{"the role's maximum", admin, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, "ok"},
		{"beyond the role's maximum", admin, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"chained, an hour", chained, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3600) }, "ok"},
		{"chained, more", chained, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"external id", admin, func(in *sts.AssumeRoleInput) { in.RoleArn, in.ExternalId = &external, aws.String("42") }, "ok"},
		{"wrong external id", admin, func(in *sts.AssumeRoleInput) { in.RoleArn, in.ExternalId = &external, aws.String("41") }, "403 AccessDenied: User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:AssumeRole on resource: " + external},
		{"tags", admin, func(in *sts.AssumeRoleInput) { in.Tags = tags }, "ok"},
		{"tags, not trusted", admin, func(in *sts.AssumeRoleInput) { in.RoleArn, in.Tags = &bare, tags }, "403 AccessDenied: User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:TagSession on resource: " + bare},
		{"source identity, not trusted", admin, func(in *sts.AssumeRoleInput) { in.RoleArn, in.SourceIdentity = &bare, aws.String("ada") }, "403 AccessDenied: User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:SetSourceIdentity on resource: " + bare},
		{"transitive tag that is none", admin, func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"x"} }, "400 ValidationError: The specified transitive tag key must be included in the requested tags."},
		{"a managed session policy", admin, func(in *sts.AssumeRoleInput) { in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: managed}} }, "ok"},
		{"one that does not exist", admin, func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/None")}}
		}, "400 ValidationError: PolicyArn arn:aws:iam::aws:policy/None is invalid or does not exist."},
		{"a policy that is none", admin, func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, "400 MalformedPolicyDocument: This policy contains invalid Json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("ss")}
			tc.change(in)
			_, err := tc.who.sts.AssumeRole(t.Context(), in)
			if got := said(err); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestAssumeRoleAnswer looks at the whole answer, and at the source identity
// and transitive tags of a chain.
func TestAssumeRoleAnswer(t *testing.T) {
	sim, endpoint, admin := started(t, frozen())
	first := sim.PutRole(account, "first", trusting(account), allow("sts:*", "*"))
	second := sim.PutRole(account, "second", trustingIf(account, `{"StringEquals":{"aws:PrincipalTag/team":"a"}}`), allow("sts:*", "*"))
	out := must(admin.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &first, RoleSessionName: aws.String("one"), SourceIdentity: aws.String("ada"),
		Tags:              []ststypes.Tag{{Key: aws.String("Team"), Value: aws.String("a")}},
		TransitiveTagKeys: []string{"team"},
	}))
	id := sim.State().Accounts[account].Roles["first"].ID
	got := []string{*out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId, *out.SourceIdentity, (*out.Credentials.AccessKeyId)[:4]}
	want := []string{"arn:aws:sts::123456789012:assumed-role/first/one", id + ":one", "ada", "ASIA"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if used := must(admin.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("first")})).Role.RoleLastUsed; used.LastUsedDate != nil {
		t.Errorf("used before its session was: %v", used.LastUsedDate)
	}
	must(whoami(t.Context(), withSession(endpoint, out.Credentials)))
	if used := must(admin.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("first")})).Role.RoleLastUsed; used.LastUsedDate == nil || *used.Region != "us-east-1" {
		t.Errorf("last used: %+v", used)
	}
	if want := sim.Now().Add(time.Hour); !out.Credentials.Expiration.Equal(want) {
		t.Errorf("expires %s, want %s", out.Credentials.Expiration, want)
	}
	chained, err := tryAssume(t, withSession(endpoint, out.Credentials), second)
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(chained.SourceIdentity); got != "ada" {
		t.Errorf("source identity of the chained session: %q", got)
	}
	assume(t, withSession(endpoint, chained.Credentials), sim.PutRole(account, "third", trustingIf(account, `{"StringEquals":{"aws:PrincipalTag/team":"a"}}`), ""))
}

// TestWebIdentity is unsigned: the token is the credential.
func TestWebIdentity(t *testing.T) {
	sim, endpoint, _ := started(t)
	web := sim.PutRole(account, "web", `{"Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/id.example"},`+
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"id.example:sub":"ada"}}}]}`, "")
	plain := sim.PutRole(account, "plain", trusting("*"), "")
	anyone := sim.PutRole(account, "anyone", `{"Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/id.example"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`, "")
	nobody := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1})
	for _, tc := range []struct{ name, role, claims, want string }{
		{"trusted", web, `{"iss":"https://id.example","sub":"ada","aud":"vault"}`, "ok"},
		{"another subject", web, `{"iss":"https://id.example","sub":"eve"}`, "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"another provider", web, `{"iss":"https://evil.example","sub":"ada"}`, "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"another provider, no condition", anyone, `{"iss":"https://evil.example","sub":"ada"}`, "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"a role for others", plain, `{"iss":"https://id.example","sub":"ada"}`, "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"no JWT", web, "", "400 InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"},
		{"expired", web, `{"iss":"https://id.example","sub":"ada","exp":1}`, "400 ExpiredTokenException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			token := "not.a.jwt."
			if tc.claims != "" {
				token = jwt(tc.claims)
			}
			out, err := nobody.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
				RoleArn: &tc.role, RoleSessionName: aws.String("ss"), WebIdentityToken: &token,
			})
			if got := said(err); got != tc.want && outcome(err) != tc.want {
				t.Fatalf("got  %s\nwant %s", got, tc.want)
			}
			if err == nil {
				if arn := must(whoami(t.Context(), withSession(endpoint, out.Credentials))); arn != "arn:aws:sts::123456789012:assumed-role/web/ss" {
					t.Errorf("caller %s", arn)
				}
			}
		})
	}
}

// jwt is a token of claims that nobody signed.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}
