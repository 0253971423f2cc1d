package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"vault-plugin-secrets-aws/internal/awssim"
)

// newDevice makes a virtual MFA device and returns its serial number and seed.
func newDevice(t *testing.T, a actor, name string) (serial, seed string) {
	t.Helper()
	out := must(a.iam.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}))
	return *out.VirtualMFADevice.SerialNumber, string(out.VirtualMFADevice.Base32StringSeed)
}

// code is what a device shows, some steps from now.
func code(sim *awssim.Sim, seed string, steps int) *string {
	return aws.String(must(awssim.TOTP(seed, sim.Now().Add(time.Duration(steps)*30*time.Second))))
}

func enable(t *testing.T, sim *awssim.Sim, a actor, user, serial, seed string) {
	t.Helper()
	must(a.iam.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{
		UserName: &user, SerialNumber: &serial,
		AuthenticationCode1: code(sim, seed, -1), AuthenticationCode2: code(sim, seed, 0),
	}))
}

// frozen is a clock that stands still, so that codes do not run out.
func frozen() awssim.Options {
	at := time.Now().Truncate(30 * time.Second)
	return awssim.Options{Clock: func() time.Time { return at }}
}

// TestTOTP uses the vectors of RFC 6238, appendix B, cut to six digits.
func TestTOTP(t *testing.T) {
	const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // "12345678901234567890"
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 20000000000: "353130"} {
		if got := must(awssim.TOTP(seed, time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestMFA(t *testing.T) {
	sim, endpoint, admin := started(t, frozen())
	creds := sim.PutUser(account, "u", allow("iam:ListUsers", "*"))
	u := as(endpoint, creds)
	serial, seed := newDevice(t, admin, "phone")
	if serial != "arn:aws:iam::123456789012:mfa/phone" || len(seed) != 64 {
		t.Errorf("serial %s, seed of %d", serial, len(seed))
	}
	_, err := admin.iam.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{
		UserName: aws.String("u"), SerialNumber: &serial, AuthenticationCode1: aws.String("000000"), AuthenticationCode2: aws.String("000000"),
	})
	wantOutcome(t, "enable with wrong codes", err, "403 InvalidAuthenticationCode")
	enable(t, sim, admin, "u", serial, seed)

	get := func(serial, code *string) (actor, error) {
		out, err := u.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{SerialNumber: serial, TokenCode: code})
		if err != nil {
			return actor{}, err
		}
		return withSession(endpoint, out.Credentials), nil
	}
	_, err = get(&serial, aws.String("000000"))
	wantOutcome(t, "wrong code", err, "403 AccessDenied")
	_, err = get(&serial, nil)
	wantOutcome(t, "serial number without a code", err, "403 AccessDenied")
	_, err = get(aws.String(serial+"x"), code(sim, seed, 1))
	wantOutcome(t, "another device", err, "403 AccessDenied")
	with, err := get(&serial, code(sim, seed, 1))
	wantOutcome(t, "right code", err, "ok")
	_, err = get(&serial, code(sim, seed, 1))
	wantOutcome(t, "the same code again", err, "403 AccessDenied")
	sim.Advance(time.Minute)
	without, err := get(nil, nil)
	wantOutcome(t, "no code", err, "ok")

	_, err = with.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
	wantOutcome(t, "IAM with MFA", err, "ok")
	_, err = without.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
	wantOutcome(t, "IAM without MFA", err, "403 InvalidClientTokenId")
	must(whoami(t.Context(), without))

	role := sim.PutRole(account, "r", trustingIf(account, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), "")
	sim.PutUser(account, "u", allow("sts:AssumeRole", "*"))
	try := func(who actor, code *string) error {
		in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("ss")}
		if code != nil {
			in.SerialNumber, in.TokenCode = &serial, code
		}
		_, err := who.sts.AssumeRole(t.Context(), in)
		return err
	}
	wantOutcome(t, "AssumeRole by the key alone", try(u, nil), "403 AccessDenied")
	wantOutcome(t, "AssumeRole by a session without MFA", try(without, nil), "403 AccessDenied")
	wantOutcome(t, "AssumeRole by a session with MFA", try(with, nil), "ok")
	wantOutcome(t, "AssumeRole with a code", try(u, code(sim, seed, 0)), "ok")
}
