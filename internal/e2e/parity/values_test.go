package parity

import "strings"

// values are what is sent for a field, by class. Every class of a field needs
// one, else its cell is uncovered.
type values struct {
	valid, empty, wrongType, outOfRange, legacy []any
	with                                        object // sent beside it
}

func (v values) byClass() map[class][]any {
	return map[class][]any{valid: v.valid, empty: v.empty, wrongType: v.wrongType, outOfRange: v.outOfRange, legacy: v.legacy}
}

// What no string, list, map, number or bool can be made of.
var (
	notText   = []any{object{"a": 1}, []any{"x", "y"}}
	notList   = []any{object{"a": 1}, []any{object{"a": "b"}}}
	notMap    = []any{"no pair", 7}
	notTime   = []any{"soon", object{"a": 1}, []any{60}}
	notNumber = []any{"many", object{"a": 1}}
	notBool   = []any{"maybe", object{"a": 1}}
)

func text(valid []any, outOfRange ...any) values {
	return values{valid: valid, empty: []any{""}, wrongType: notText, outOfRange: outOfRange}
}

func texts(valid, outOfRange, legacy []any) values {
	return values{valid: valid, empty: []any{[]any{}, ""}, wrongType: notList, outOfRange: outOfRange, legacy: legacy}
}

func pairs(valid, outOfRange []any) values {
	return values{valid: valid, empty: []any{object{}, ""}, wrongType: notMap, outOfRange: outOfRange, legacy: []any{[]any{"k1=v1", "k2=v=2"}, `{"k1":"v1"}`}}
}

func duration(valid []any, outOfRange ...any) values {
	return values{valid: valid, empty: []any{0, ""}, wrongType: notTime, outOfRange: outOfRange, legacy: []any{"20m", "1d"}}
}

func flag() values {
	return values{valid: []any{true, false}, empty: []any{""}, wrongType: notBool, outOfRange: []any{7}, legacy: []any{"true", 1, "0"}}
}

func number(valid []any, outOfRange ...any) values {
	return values{valid: valid, empty: []any{0, ""}, wrongType: notNumber, outOfRange: outOfRange, legacy: []any{"3000"}}
}

func (v values) beside(with object) values {
	v.with = with
	return v
}

// rootValues are those of config/root, sent to a mount whose config/root is
// whole.
func (w *world) rootValues() map[string]values {
	endpoint := "$AWS"
	urls := text([]any{endpoint, endpoint + "/"}, "no url", "ftp://example.com", "http://169.254.169.254/latest")
	regions := text([]any{"us-east-1", "eu-west-1", "us-gov-west-1"}, "MARS north", "mars-north-1", strings.Repeat("a", 41))
	patterns := texts([]any{[]any{"arn:aws:iam::*:policy/x"}, []any{"*"}}, []any{[]any{""}}, []any{"arn:aws:iam::1:policy/a,arn:aws:iam::1:policy/b"})
	return map[string]values{
		"access_key":                 text([]any{w.root.AccessKey}, "AKIAABSENTABSENTABSE", "no key"),
		"secret_key":                 text([]any{w.root.SecretKey}, "short"),
		"region":                     regions,
		"sts_region":                 regions,
		"iam_endpoint":               urls,
		"sts_endpoint":               urls,
		"sts_fallback_endpoints":     texts([]any{[]any{endpoint}}, []any{[]any{"no url"}, []any{endpoint, endpoint}}, []any{endpoint}).beside(object{"sts_fallback_regions": []any{"us-east-1"}}),
		"sts_fallback_regions":       texts([]any{[]any{"us-east-1"}}, []any{[]any{"MARS north"}, []any{"us-east-1", "us-east-2"}}, []any{"us-east-1"}).beside(object{"sts_fallback_endpoints": []any{endpoint}}),
		"max_retries":                {valid: []any{3, -1}, empty: []any{0, ""}, wrongType: notNumber, outOfRange: []any{-2, 101, 1 << 40}, legacy: []any{"3"}},
		"username_template":          text([]any{"named-{{random 20}}", "{{ .PolicyName }}-{{ unix_time }}-{{ random 20 }}"}, "{{ nope", "{{ .Nope }}", "constant", "<{{ random 20 }}>", strings.Repeat("x", 3000)),
		"identity_token_audience":    text([]any{"vault.example/aws"}, strings.Repeat("x", 3000)),
		"identity_token_ttl":         duration([]any{600, "600"}, -5, "-5m"),
		"role_arn":                   text([]any{iamRole}, "no arn"),
		"rotation_schedule":          text([]any{"0 0 * * SAT"}, "every day", "99 * * * *"),
		"rotation_window":            duration([]any{3600, "7200"}, 60, -5).beside(object{"rotation_schedule": "0 0 * * SAT"}),
		"rotation_period":            duration([]any{3600, "7200"}, 5, -5),
		"disable_automated_rotation": flag(),

		"allowed_policy_arns":               patterns,
		"allowed_role_arns":                 patterns,
		"allowed_user_paths":                patterns,
		"allowed_usernames":                 patterns,
		"required_permissions_boundary_arn": text([]any{boundary}, "no arn"),

		"iam_owner_tags": flag(),
		"max_users":      number([]any{3000}, -1),
	}
}

// leaseValues are those of config/lease.
func leaseValues() map[string]values {
	durations := values{
		valid: []any{"30m", "1h30m"}, empty: []any{""}, wrongType: notText, outOfRange: []any{"-5m", "soon", "99999h", "0"}, legacy: []any{"1800", 1800, "1d"},
	}
	return map[string]values{
		"lease":     durations.beside(object{"lease_max": "24h"}),
		"lease_max": durations.beside(object{"lease": "10m"}),
	}
}

// roleValues are those of roles/:name, sent with each credential type.
func roleValues() map[string]values {
	var manyPolicies, manyGroups []any
	tags := object{}
	for i := range 51 {
		n := string(rune('A'+i/26)) + string(rune('a'+i%26))
		manyPolicies, manyGroups, tags[n] = append(manyPolicies, noPolicy+n), append(manyGroups, n), n
	}
	tagged := pairs([]any{object{"team": "a", "cost": "1"}}, []any{object{"aws:reserved": "x"}, object{"": "x"}, tags})
	return map[string]values{
		"credential_type":          text([]any{"iam_user", "assumed_role", "federation_token", "session_token"}, "nobody", "iam_user,federation_token", "IAM_USER"),
		"policy_document":          {valid: []any{ec2Policy, " \n" + ec2Policy + " "}, empty: []any{""}, wrongType: []any{[]any{"x", "y"}}, outOfRange: []any{"{", `"text"`, `{"Statement":"x"}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + strings.Repeat("x", 7000) + `","Resource":"*"}]}`}, legacy: []any{object{"Version": "2012-10-17", "Statement": []any{}}}},
		"policy_arns":              texts([]any{[]any{readOnly}, []any{readOnly, boundary}}, []any{[]any{"no arn"}, []any{noPolicy}, manyPolicies[:21], []any{readOnly, readOnly}}, []any{readOnly + ", " + boundary}),
		"role_arns":                texts([]any{[]any{iamRole}, []any{iamRole, otherRole}}, []any{[]any{"no arn"}, []any{denied}, []any{iamRole, iamRole}}, []any{iamRole + "," + otherRole}),
		"iam_groups":               texts([]any{[]any{group}, []any{group, emptyTeam}}, []any{[]any{"absent"}, manyGroups[:11], []any{"no group!"}}, []any{group + "," + emptyTeam}),
		"iam_tags":                 tagged,
		"session_tags":             tagged,
		"external_id":              text([]any{"shared"}, "x", strings.Repeat("x", 1300)),
		"default_sts_ttl":          duration([]any{1800, "1800"}, 5, 200000, -5),
		"max_sts_ttl":              duration([]any{3000, "3000"}, 5, 200000, -5),
		"user_path":                text([]any{"/apps/", "/", "/a/b/"}, "apps", "/a b/", "/"+strings.Repeat("x", 511)+"/"),
		"permissions_boundary_arn": text([]any{boundary}, "no arn", "arn:aws:s3:::bucket", iamRole, noPolicy),
		"expiry_policy":            flag(),
		"max_users":                number([]any{3000}, -1),
		"default_ttl":              duration([]any{1800, "1800"}, -5),
		"max_ttl":                  duration([]any{3000, "3000"}, -5),
		"propagation_timeout":      duration([]any{20, "5s"}, 26, -5),
		"propagation_regions":      texts([]any{[]any{"us-east-1"}, []any{"us-east-1", "eu-west-1"}}, []any{[]any{"MARS north"}}, []any{"us-east-1,eu-west-1"}),
		"pool_size":                number([]any{0}, 21, -1), // a pool is filled beside the requests that are compared
		"pool_max_age":             duration([]any{3600, "2h"}, 599, 2592001, -5),
		"mfa_serial_number":        text([]any{"arn:aws:iam::123456789012:mfa/vault-root"}, "no serial!"),

		"role_session_name_template": text([]any{"{{.DisplayName}}-{{random 8}}", "{{.PolicyName}}"}, "{{ nope", "{{ .Nope }}", "{{identity.entity.nope}}", "<{{.DisplayName}}>", strings.Repeat("x", 3000)),
		"source_identity_template":   text([]any{"{{.DisplayName}}"}, "{{ nope", "{{.DisplayName}} {{.PolicyName}}"),
		"transitive_tag_keys":        texts([]any{[]any{"team"}}, []any{[]any{"absent"}}, []any{"team,cost"}).beside(object{"session_tags": object{"team": "a", "cost": "1"}}),

		"arn":    legacyText([]any{iamRole, readOnly}, "no arn", "arn:aws:iam::123456789012:group/x", "arn:aws:s3:::bucket"),
		"policy": legacyText([]any{ec2Policy}, "{", readOnly),
	}
}

// legacyText are the values of a deprecated field, which is legacy however it is
// written.
func legacyText(valid []any, outOfRange ...any) values {
	v := text(valid, outOfRange...)
	v.legacy = []any{valid[0]}
	return v
}

// tidyValues are those of tidy.
func tidyValues() map[string]values {
	return map[string]values{
		"tidy_records":       flag(),
		"tidy_unknown_users": flag(),
		"safety_buffer":      duration([]any{3600, "7200"}, -5).beside(object{"tidy_records": true}),
		"max_deletes":        number([]any{3}, -1).beside(object{"tidy_records": true}),
		"dry_run":            flag().beside(object{"tidy_records": true}),
		"forget":             text([]any{"nobody"}, "no user!"),
		"drain":              flag(),
		"confirm_deadlines":  flag(),
		"confirm_restore":    flag(),
	}
}

// policyValues are those of config/iam-policy.
func policyValues() map[string]values {
	return map[string]values{
		"arn":      text([]any{"arn:aws:iam::123456789012:user/engine"}, "nobody", "arn:aws:s3:::bucket"),
		"diagnose": flag(),
	}
}

// diagnoseValues are those of diagnose.
func diagnoseValues() map[string]values {
	return map[string]values{"role": text([]any{"deploy"}, "no role!"), "assume": flag()}
}

// usersValues are those of a list of users.
func usersValues() map[string]values {
	return map[string]values{
		"role":  text([]any{"deploy"}, "no role!"),
		"after": text([]any{"vault-a"}, "no user!"),
		"limit": number([]any{3}, -1),
	}
}

// staticValues are those of static-roles/:name.
func staticValues() map[string]values {
	return map[string]values{
		"username":                 text([]any{appUser}, "absent", "no user!", strings.Repeat("x", 65), twoKeys, rootUser),
		"rotation_period":          duration([]any{3600, "7200"}, 5, 59, -5),
		"rotation_schedule":        text([]any{"0 0 * * SAT"}, "every day"),
		"grace":                    text([]any{"1h", "0"}, "soon", "-5m"),
		"key_adoption":             text([]any{"replace_inactive", "replace_oldest", "fail"}, "nobody"),
		"assume_role_arn":          text([]any{iamRole}, "no arn", denied),
		"assume_role_session_name": text([]any{"rotation"}, "no name!").beside(object{"assume_role_arn": iamRole}),
		"external_id":              text([]any{"shared"}, "x").beside(object{"assume_role_arn": iamRole}),
	}
}

// credsValues are the parameters of creds/:name and sts/:name.
func credsValues() map[string]values {
	return map[string]values{
		"format":            text([]any{"container"}, "xml"),
		"role_arn":          text([]any{iamRole}, "no arn", otherRole, denied),
		"ttl":               duration([]any{900, "1800"}, 5, 899, 200000, -5),
		"role_session_name": text([]any{"deploy-1"}, "no name!", "x", strings.Repeat("x", 65)),
		"mfa_code":          text([]any{"123456"}, "no code", "1"),
	}
}
