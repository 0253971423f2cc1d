package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/backend/policy"
)

func TestParseARN(t *testing.T) {
	for _, tc := range []struct {
		name    string
		arn     string
		want    policy.ARN
		wantErr string
	}{
		{name: "IAM role with a path", arn: "arn:aws:iam::123456789012:role/ci/deploy", want: policy.ARN{Partition: "aws", Service: "iam", Account: "123456789012", Resource: "role/ci/deploy"}},
		{name: "policy of AWS, China", arn: "arn:aws-cn:iam::aws:policy/ReadOnlyAccess", want: policy.ARN{Partition: "aws-cn", Service: "iam", Account: "aws", Resource: "policy/ReadOnlyAccess"}},
		{name: "colons in the resource, region", arn: "arn:aws:logs:eu-west-1:123456789012:log-group:x:*", want: policy.ARN{Partition: "aws", Service: "logs", Region: "eu-west-1", Account: "123456789012", Resource: "log-group:x:*"}},
		{name: "no account", arn: "arn:aws:s3:::bucket", want: policy.ARN{Partition: "aws", Service: "s3", Resource: "bucket"}},
		{name: "a name", arn: "ReadOnlyAccess", wantErr: `ARN "ReadOnlyAccess" does not begin with "arn:"`},
		{name: "empty", wantErr: `ARN "" does not begin with "arn:"`},
		{name: "a colon short", arn: "arn:aws:iam:123456789012:role/x", wantErr: `ARN "arn:aws:iam:123456789012:role/x" has 5 parts, not the 6 of arn:partition:service:region:account:resource`},
		{name: "no partition", arn: "arn::iam::1:role/x", wantErr: `ARN "arn::iam::1:role/x" has no partition`},
		{name: "no service", arn: "arn:aws:::1:role/x", wantErr: `ARN "arn:aws:::1:role/x" has no service`},
		{name: "no resource", arn: "arn:aws:iam::1:", wantErr: `ARN "arn:aws:iam::1:" has no resource`},
		{name: "white space", arn: "arn:aws:iam::1:role/x\n", wantErr: `ARN "arn:aws:iam::1:role/x\n" has white space or unprintable characters`},
		{name: "too long", arn: "arn:aws:iam::1:role/" + strings.Repeat("x", 2029), wantErr: "ARN has 2049 characters, AWS takes 2048"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := policy.ParseARN(tc.arn)
			if diff := cmp.Diff(tc.wantErr, errText(err)); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ParseARN() (-want +got):\n%s", diff)
			}
			if err == nil && got.String() != tc.arn {
				t.Errorf("String() = %q, want %q", got, tc.arn)
			}
		})
	}
}
