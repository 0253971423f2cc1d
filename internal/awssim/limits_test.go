package awssim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestLimits tries both sides of the limits of parameters. The table has one
// row per kind of limit; that each operation has the right ones is for the
// comparison with botocore's model to show.
func TestLimits(t *testing.T) {
	sim, _, admin := started(t)
	sim.PutUser(account, "there", "")
	sim.PutRole(account, "role", trusting("*"), "")
	tags := func(n int) url.Values {
		v := url.Values{"Action": {"TagUser"}, "UserName": {"there"}}
		for i := range n {
			v.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("k%d", i))
			v.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), "v")
		}
		return v
	}
	const one = "400 ValidationError: 1 validation error detected: "
	for _, tc := range []struct {
		name    string
		service string
		params  url.Values
		want    string
	}{
		{"user name of 64", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {strings.Repeat("a", 64)}}, "200"},
		{"user name of 65", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {strings.Repeat("a", 65)}}, one + "Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"user name to look up of 65", "iam", url.Values{"Action": {"GetUser"}, "UserName": {strings.Repeat("b", 65)}}, "404 NoSuchEntity: The user with name " + strings.Repeat("b", 65) + " cannot be found."},
		{"user name with every special character", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"_+=,.@-"}}, "200"},
		{"user name with a space", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"a b"}}, "400 ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"user name beyond ASCII", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"é"}}, "400 ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"empty user name", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {""}}, one + "Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"no user name", "iam", url.Values{"Action": {"CreateUser"}}, one + "Value at 'userName' failed to satisfy constraint: Member must not be null"},
		{"all that is wrong at once", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {strings.Repeat("a", 65)}, "PermissionsBoundary": {"short"}}, "400 ValidationError: 2 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64; Value at 'permissionsBoundary' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		{"path without slashes", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"p"}, "Path": {"x"}}, "400 ValidationError: The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"path of 513", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"p"}, "Path": {"/" + strings.Repeat("a", 511) + "/"}}, one + "Value at 'path' failed to satisfy constraint: Member must have length less than or equal to 512"},
		{"role name of 65", "iam", url.Values{"Action": {"GetRole"}, "RoleName": {strings.Repeat("a", 65)}}, one + "Value at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"policy name of 129", "iam", url.Values{"Action": {"GetUserPolicy"}, "UserName": {"there"}, "PolicyName": {strings.Repeat("a", 129)}}, one + "Value at 'policyName' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{"key id of 15", "iam", url.Values{"Action": {"DeleteAccessKey"}, "AccessKeyId": {"AKIA12345678901"}}, one + "Value at 'accessKeyId' failed to satisfy constraint: Member must have length greater than or equal to 16"},
		{"key status", "iam", url.Values{"Action": {"UpdateAccessKey"}, "AccessKeyId": {"AKIA1234567890123456"}, "Status": {"Bogus"}}, one + "Value 'Bogus' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"},
		{"MaxItems that is no number", "iam", url.Values{"Action": {"ListUsers"}, "MaxItems": {"x"}}, "400 MalformedInput: "},
		{"no key id", "iam", url.Values{"Action": {"DeleteAccessKey"}}, "400 MissingParameter: The request must contain the parameter AccessKeyId."},
		{"bad key in a list", "iam", url.Values{"Action": {"UntagUser"}, "UserName": {"there"}, "TagKeys.member.1": {"*"}}, one + `Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]`},
		{"MaxItems 0", "iam", url.Values{"Action": {"ListUsers"}, "MaxItems": {"0"}}, one + "Value at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"MaxItems 1001", "iam", url.Values{"Action": {"ListUsers"}, "MaxItems": {"1001"}}, one + "Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"a Marker of somebody else's", "iam", url.Values{"Action": {"ListUsers"}, "Marker": {"1"}}, "400 ValidationError: Invalid Marker."},
		{"50 tags", "iam", tags(50), "200"},
		{"51 tags", "iam", tags(51), one + "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		{"tag key with a star", "iam", url.Values{"Action": {"TagUser"}, "UserName": {"there"}, "Tags.member.1.Key": {"*"}, "Tags.member.1.Value": {""}}, one + `Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{"tag without a value", "iam", url.Values{"Action": {"TagUser"}, "UserName": {"there"}, "Tags.member.1.Key": {"k"}}, one + "Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"},
		{"no tags", "iam", url.Values{"Action": {"TagUser"}, "UserName": {"there"}}, one + "Value at 'tags' failed to satisfy constraint: Member must not be null"},
		{"a 51st tag", "iam", url.Values{"Action": {"TagUser"}, "UserName": {"there"}, "Tags.member.1.Key": {"new"}, "Tags.member.1.Value": {""}}, "409 LimitExceeded: The number of tags has reached the maximum limit."},
		{"tag keys that differ in case", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"t"}, "Tags.member.1.Key": {"k"}, "Tags.member.1.Value": {""}, "Tags.member.2.Key": {"K"}, "Tags.member.2.Value": {""}}, "400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"reserved tag key", "iam", url.Values{"Action": {"CreateUser"}, "UserName": {"t"}, "Tags.member.1.Key": {"aws:k"}, "Tags.member.1.Value": {""}}, "400 InvalidInput: Tag keys beginning with aws: are reserved for system use."},
		{"MaxSessionDuration 3599", "iam", url.Values{"Action": {"UpdateRole"}, "RoleName": {"role"}, "MaxSessionDuration": {"3599"}}, one + "Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"},
		{"federation name of 1", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {"a"}}, one + "Value at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2"},
		{"federation name of 32", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {strings.Repeat("a", 32)}}, "200"},
		{"federation name of 33", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {strings.Repeat("a", 33)}}, one + "Value at 'name' failed to satisfy constraint: Member must have length less than or equal to 32"},
		{"federation for 899 s", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {"aa"}, "DurationSeconds": {"899"}}, one + "Value at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"federation for 129,601 s", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {"aa"}, "DurationSeconds": {"129601"}}, one + "Value at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"},
		{"session policy of 2,049", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {"aa"}, "Policy": {strings.Repeat(" ", 2049)}}, one + "Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{"session policy that is no JSON", "sts", url.Values{"Action": {"GetFederationToken"}, "Name": {"aa"}, "Policy": {"x"}}, "400 MalformedPolicyDocument: This policy contains invalid Json"},
		{"role session for 43,201 s", "sts", url.Values{"Action": {"AssumeRole"}, "RoleArn": {"arn:aws:iam::123456789012:role/role"}, "RoleSessionName": {"ss"}, "DurationSeconds": {"43201"}}, one + "Value at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"},
		{"session name with a space", "sts", url.Values{"Action": {"AssumeRole"}, "RoleArn": {"arn:aws:iam::123456789012:role/role"}, "RoleSessionName": {"s s"}}, one + `Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		{"an ARN of no role", "sts", url.Values{"Action": {"AssumeRole"}, "RoleArn": {"arn:aws:iam::123456789012:user/u"}, "RoleSessionName": {"ss"}}, "400 ValidationError: arn:aws:iam::123456789012:user/u is invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := raw(t, admin, tc.service, tc.params); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestPolicyGrammar(t *testing.T) {
	sim, _, admin := started(t)
	sim.PutUser(account, "u", "")
	const malformed = "400 MalformedPolicyDocument: "
	for _, tc := range []struct{ name, document, want string }{
		{"one statement, no list", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "200"},
		{"no version", `{"Statement":[{"Effect":"Deny","NotAction":["s3:*"],"NotResource":["arn:aws:s3:::b"]}]}`, "200"},
		{"a boolean in a condition", `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false}}}]}`, "200"},
		{"no JSON", `x`, malformed + "Syntax errors in policy."},
		{"empty object", `{}`, malformed + "Syntax errors in policy."},
		{"JSON and more", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]} x`, malformed + "Syntax errors in policy."},
		{"unknown version", `{"Version":"2013-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, malformed + "Syntax errors in policy."},
		{"no effect", `{"Statement":[{"Action":"*","Resource":"*"}]}`, malformed + "Syntax errors in policy."},
		{"two effects", `{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}`, malformed + "Syntax errors in policy."},
		{"misspelt element", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Conditon":{}}]}`, malformed + "Syntax errors in policy."},
		{"no action", `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, malformed + "Policy statement must contain actions."},
		{"no resource", `{"Statement":[{"Effect":"Allow","Action":"*"}]}`, malformed + "Policy statement must contain resources."},
		{"principal", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`, malformed + "Policy document should not specify a principal."},
		{"action without a service", `{"Statement":[{"Effect":"Allow","Action":"CreateUser","Resource":"*"}]}`, malformed + "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"resource that is no ARN", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"bucket"}]}`, malformed + `Resource bucket must be in ARN format or "*".`},
		{"a partition that is none", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:moon:s3:::b"}]}`, malformed + `Partition "moon" is not valid for resource "arn:moon:s3:::b".`},
		{"colons but no ARN", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"a:b"}]}`, malformed + `Partition "b" is not valid for resource "arn:b:*:*:*:*".`},
		{"a number for an action", `{"Statement":[{"Effect":"Allow","Action":1,"Resource":"*"}]}`, malformed + "Syntax errors in policy."},
		{"short ARN", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3"}]}`, malformed + "The policy failed legacy parsing"},
		{"same Sid twice", `{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}`, malformed + "Statement IDs (SID) in a single policy must be unique."},
		{"beyond Latin-1", `{"Statement":[{"Sid":"日","Effect":"Allow","Action":"*","Resource":"*"}]}`, "400 ValidationError: The specified value for policyDocument is invalid. It must contain only printable ASCII characters."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := raw(t, admin, "iam", url.Values{
				"Action": {"PutUserPolicy"}, "UserName": {"u"}, "PolicyName": {"p"}, "PolicyDocument": {tc.document},
			})
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestTrustPolicyGrammar(t *testing.T) {
	sim, _, admin := started(t)
	sim.PutUser(account, "u", "")
	const malformed = "400 MalformedPolicyDocument: "
	for i, tc := range []struct{ name, document, want string }{
		{"a user that exists", trusting("arn:aws:iam::123456789012:user/u"), "200"},
		{"an account", trusting(other), "200"},
		{"a service", `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, "200"},
		{"no JSON", "x", malformed + "This policy contains invalid Json"},
		{"a user that does not exist", trusting("arn:aws:iam::123456789012:user/gone"), malformed + `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/gone"`},
		{"no principal", `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, malformed + "Missing required field Principal"},
		{"unknown version", `{"Version":"2013-01-01","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`, malformed + "The policy must contain a valid version string"},
		{"no statement", `{"Statement":[]}`, malformed + "Could not parse the policy: Statement is empty!"},
		{"a resource", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}]}`, malformed + "Has prohibited field Resource"},
		{"another service's action", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject"}]}`, malformed + "AssumeRole policy may only specify STS AssumeRole actions."},
		{"too long", strings.Replace(trusting("*"), `"Action"`, `"Sid":"`+strings.Repeat("a", 2048)+`","Action"`, 1), "409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := raw(t, admin, "iam", url.Values{
				"Action": {"CreateRole"}, "RoleName": {fmt.Sprint("r", i)}, "AssumeRolePolicyDocument": {tc.document},
			})
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestQuotas fills up what can be filled, to the last that fits and one more.
func TestQuotas(t *testing.T) {
	sim, _, admin := started(t, awssim.Options{Settings: awssim.Settings{MaxUsers: 3}})
	sim.PutUser(account, "u", "")
	sim.PutGroup(account, "g", "")
	sim.PutRole(account, "r", trusting("*"), "")
	for i := range 11 {
		sim.PutPolicy(account, fmt.Sprint("p", i), allow("s3:*", "*"))
		sim.PutGroup(account, fmt.Sprint("g", i), "")
	}
	arn := func(i int) string { return fmt.Sprintf("arn:aws:iam::%s:policy/p%d", account, i) }
	sized := func(n int) string { // a policy of n characters, and white space that does not count
		bare := `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}]}`
		return strings.Replace(bare, `"Sid":"`, "\n \t"+`"Sid":"`+strings.Repeat("a", n-len(bare)), 1)
	}
	for _, tc := range []struct {
		name   string
		fits   int
		params func(i int) url.Values
		want   string
	}{
		{"access keys", 1, func(int) url.Values { return url.Values{"Action": {"CreateAccessKey"}, "UserName": {"u"}} }, "Cannot exceed quota for AccessKeysPerUser: 2"},
		{"users", 1, func(i int) url.Values { return url.Values{"Action": {"CreateUser"}, "UserName": {fmt.Sprint("u", i)}} }, "Cannot exceed quota for UsersPerAccount: 3"},
		{"managed policies of a user", 10, func(i int) url.Values {
			return url.Values{"Action": {"AttachUserPolicy"}, "UserName": {"u"}, "PolicyArn": {arn(i)}}
		}, "Cannot exceed quota for PoliciesPerUser: 10"},
		{"managed policies of a group", 10, func(i int) url.Values {
			return url.Values{"Action": {"AttachGroupPolicy"}, "GroupName": {"g"}, "PolicyArn": {arn(i)}}
		}, "Cannot exceed quota for PoliciesPerGroup: 10"},
		{"managed policies of a role", 10, func(i int) url.Values {
			return url.Values{"Action": {"AttachRolePolicy"}, "RoleName": {"r"}, "PolicyArn": {arn(i)}}
		}, "Cannot exceed quota for PoliciesPerRole: 10"},
		{"groups of a user", 10, func(i int) url.Values {
			return url.Values{"Action": {"AddUserToGroup"}, "UserName": {"u"}, "GroupName": {fmt.Sprint("g", i)}}
		}, "Cannot exceed quota for GroupsPerUser: 10"},
		{"inline policies of a user", 2, func(i int) url.Values {
			return url.Values{"Action": {"PutUserPolicy"}, "UserName": {"u"}, "PolicyName": {fmt.Sprint(i)}, "PolicyDocument": {sized(1024)}}
		}, "Maximum policy size of 2048 bytes exceeded for user u"},
		{"inline policies of a group", 5, func(i int) url.Values {
			return url.Values{"Action": {"PutGroupPolicy"}, "GroupName": {"g"}, "PolicyName": {fmt.Sprint(i)}, "PolicyDocument": {sized(1024)}}
		}, "Maximum policy size of 5120 bytes exceeded for group g"},
		{"inline policies of a role", 10, func(i int) url.Values {
			return url.Values{"Action": {"PutRolePolicy"}, "RoleName": {"r"}, "PolicyName": {fmt.Sprint(i)}, "PolicyDocument": {sized(1024)}}
		}, "Maximum policy size of 10240 bytes exceeded for role r"},
		{"a managed policy", 1, func(i int) url.Values {
			return url.Values{"Action": {"CreatePolicy"}, "PolicyName": {fmt.Sprint("big", i)}, "PolicyDocument": {sized(6144 + i)}}
		}, "Cannot exceed quota for PolicySize: 6144"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range tc.fits {
				if got := raw(t, admin, "iam", tc.params(i)); got != "200" {
					t.Fatalf("number %d: %s", i+1, got)
				}
			}
			if got, want := raw(t, admin, "iam", tc.params(tc.fits)), "409 LimitExceeded: "+tc.want; got != want {
				t.Errorf("one more: %s, want %s", got, want)
			}
		})
	}
}
