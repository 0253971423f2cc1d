package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/internal/awssim"
)

// stories are the cases that are more than one field.
func (w *world) stories() []sitting {
	return slices.Concat(w.configStories(), leaseStories(), roleStories(), legacyStories(), storedStories(),
		credentialStories(), renewStories(), failureStories(), w.rotateStories(), staticStories())
}

// What happens around the mounts.

// happens is a step that is no request.
func happens(act func(*side) error) step { return step{happens: act} }

// A failure is what an AWS action answers instead of doing its work.
type failure struct {
	action string
	status int
	code   string
}

func (f failure) String() string { return f.action + " answers " + f.code }

// fault makes calls of AWS fail, until noFaults.
func fault(f failure) step {
	return happens(func(s *side) error {
		return s.control("faults", object{"action": f.action, "kind": "error", "status": f.status, "code": f.code, "message": "as the story goes"})
	})
}

func noFaults() step {
	return happens(func(s *side) error {
		_, err := s.stack.Sim.Control(s.ctx, http.MethodDelete, "faults", nil)
		return err
	})
}

// somebody does something to a user behind the engine's back; $USER is the last
// one that the engine made.
func somebody(act awssim.Act, user, value string) step {
	return happens(func(s *side) error {
		return s.control("interfere", object{"act": act, "user": s.fill(user), "value": value})
	})
}

func (s *side) control(path string, body object) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = s.stack.Sim.Control(s.ctx, http.MethodPost, path, text)
	return err
}

// stored puts an entry into the mount's storage, as an older version wrote it.
func stored(key, value string) step {
	return happens(func(s *side) error {
		var mounts struct {
			Data map[string]struct{ UUID string }
		}
		_, answer, err := s.send("GET", "sys/mounts", nil)
		if err == nil {
			err = json.Unmarshal(answer, &mounts)
		}
		if err != nil {
			return err
		}
		return s.must("POST", "sys/raw/logical/"+mounts.Data[s.mount].UUID+"/"+key, object{"value": value})
	})
}

// plus is an object with more fields, some of which may replace others.
func plus(o object, more object) object {
	all := maps.Clone(o)
	maps.Copy(all, more)
	return all
}

// configStories are about config/root.
func (w *world) configStories() []sitting {
	whole := w.config()
	half := object{"access_key": whole["access_key"]}
	otherHalf := object{"secret_key": whole["secret_key"]}
	read := get("config/root")
	template := object{"username_template": "named-{{random 20}}"}
	all := []sitting{
		alone("template and partial write", steps(post("config/root", template), read, post("config/root", object{"region": "eu-west-1"}), read)...),
		alone("template cleared", steps(post("config/root", template), post("config/root", object{"username_template": ""}), read)...),
		alone("partial write", steps(post("config/root", object{"region": "eu-west-1"}), read, put("config/root", object{"max_retries": 2}), read)...),
		alone("another key alone", steps(post("config/root", object{"access_key": "AKIAABSENTABSENTABSE"}))...),
		alone("keys cleared", steps(post("config/root", object{"access_key": "", "secret_key": ""}), read)...),
		alone("lists of unequal length", steps(post("config/root", object{"sts_fallback_endpoints": "https://a.example,https://b.example", "sts_fallback_regions": "us-east-1"}))...),
		alone("list without the other", steps(post("config/root", object{"sts_fallback_endpoints": "https://a.example"}), post("config/root", object{"sts_fallback_regions": "us-east-1"}))...),
		alone("schedule and period", steps(post("config/root", object{"rotation_schedule": "0 0 * * SAT", "rotation_period": 3600}))...),
		alone("window and period", steps(post("config/root", object{"rotation_window": 3600, "rotation_period": 3600}))...),
		alone("window alone", steps(post("config/root", object{"rotation_window": 3600}))...),
		alone("rotation disabled", steps(post("config/root", object{"disable_automated_rotation": true, "rotation_period": 3600}))...),
		alone("audience beside keys", steps(post("config/root", object{"identity_token_audience": "aws", "role_arn": iamRole}))...),
		alone("unknown field", steps(post("config/root", object{"nonsense": "x"}), post("config/root", object{"nonsense": "x", "other": 1, "region": "eu-west-1"}))...),
	}
	for _, first := range []struct {
		name   string
		fields object
	}{
		{"all", whole},
		{"all and a template", plus(whole, template)},
		{"half a key pair", half},
		{"the other half", otherHalf},
		{"a region", object{"region": "eu-west-1"}},
		{"nothing", object{}},
		{"an audience", object{"identity_token_audience": "aws"}},
		{"an audience and a role", object{"identity_token_audience": "aws", "role_arn": iamRole}},
	} {
		s := alone("first write of "+first.name, steps(read, post("config/root", first.fields), read)...)
		s.bare = true
		all = append(all, s)
	}
	return append(all, w.credentialConfigStories()...)
}

// credentialConfigStories issue credentials by odd configurations.
func (w *world) credentialConfigStories() []sitting {
	var all []sitting
	for _, name := range slices.Sorted(maps.Keys(roleForms())) {
		role := post("roles/deploy", roleForms()[name])
		for what, config := range map[string]object{
			"with a custom template":   {"username_template": "named-{{random 20}}"},
			"with an unknown key":      {"access_key": "AKIAABSENTABSENTABSE", "secret_key": w.root.SecretKey},
			"with a wrong secret":      {"access_key": w.root.AccessKey, "secret_key": strings.Repeat("x", 40)},
			"with a region of its own": {"region": "eu-west-1"},
			"with fallbacks":           {"sts_fallback_endpoints": "$AWS", "sts_fallback_regions": "us-west-2"},
		} {
			s := alone(name+" "+what, steps(get("creds/deploy"))...)
			s.config, s.given = config, steps(role)
			all = append(all, s)
		}
	}
	slices.SortFunc(all, byName)
	return all
}

// leaseStories are about config/lease.
func leaseStories() []sitting {
	write := func(fields object) request { return post("config/lease", fields) }
	return []sitting{
		alone("lease alone", steps(write(object{"lease": "30m"}))...),
		alone("maximum alone", steps(write(object{"lease_max": "30m"}))...),
		alone("neither", steps(write(object{}))...),
		alone("lease above maximum", steps(write(object{"lease": "2h", "lease_max": "1h"}), get("config/lease"))...),
		alone("zeros", steps(write(object{"lease": 0, "lease_max": 0}), get("config/lease"))...),
		alone("written twice", steps(put("config/lease", object{"lease": "30m", "lease_max": "12h"}), write(object{"lease": "10m", "lease_max": "20m"}), get("config/lease"))...),
		alone("partial write", steps(write(object{"lease": "30m", "lease_max": "12h"}), write(object{"lease": "10m"}), get("config/lease"))...),
		alone("unknown field", steps(write(object{"lease": "30m", "lease_max": "12h", "nonsense": 1}))...),
	}
}

// roleStories are about roles that are written, listed, changed and deleted.
func roleStories() []sitting {
	user, session := roleForms()["iam_user"], roleForms()["session_token"]
	role := func(body object) request { return post("roles/deploy", body) }
	read := get("roles/deploy")
	all := []sitting{
		alone("listed", steps(list("roles"), role(session), list("roles"), list("roles/"), search("roles", "list", "true"), search("roles/", "list", "true"),
			post("roles/audit", session), post("roles/b@x.y", session), list("roles"), del("roles/deploy"), list("roles"), del("roles/audit"), del("roles/b@x.y"), list("roles"))...),
		alone("deleted", steps(del("roles/deploy"), role(user), del("roles/deploy"), read, get("creds/deploy"), del("roles/deploy"))...),
		alone("by PUT", steps(put("roles/deploy", user), read)...),
		alone("name in the body", steps(role(plus(user, object{"name": "other"})), get("roles/other"), read)...),
		alone("unknown field", steps(role(plus(user, object{"policy_arn": readOnly})), read, role(object{"nonsense": 1}))...),
		alone("unknown field with a warning", steps(role(object{"policy": ec2Policy, "nonsense": 1}))...),
		alone("nothing is sent", steps(role(object{}), role(user), role(object{}), read)...),
		alone("type changes", steps(role(user), role(object{"credential_type": "federation_token"}), read, role(object{"credential_type": "session_token"}),
			role(object{"credential_type": "session_token", "policy_document": ""}), read)...),
		alone("all cleared", steps(role(fullRoles()["iam_user"]), role(object{"policy_document": "", "policy_arns": "", "iam_groups": []any{}, "iam_tags": object{}, "user_path": "", "permissions_boundary_arn": ""}), read, get("creds/deploy"))...),
		alone("default above maximum", steps(role(object{"credential_type": "session_token", "default_sts_ttl": 3600, "max_sts_ttl": 1800}))...),
		alone("default above stored maximum", steps(role(plus(session, object{"max_sts_ttl": 1800})), role(object{"default_sts_ttl": 3600}), read)...),
		alone("many mistakes", steps(role(object{"credential_type": "iam_user", "role_arns": iamRole, "default_sts_ttl": 60, "session_tags": "a=b", "user_path": "x"}))...),
	}
	for _, name := range slices.Sorted(maps.Keys(fullRoles())) {
		all = append(all, alone("whole "+name, steps(role(fullRoles()[name]), read, list("roles"))...))
	}
	return all
}

// legacyStories write roles in the deprecated form.
func legacyStories() []sitting {
	role := func(body object) request { return post("roles/deploy", body) }
	use := []request{get("roles/deploy"), get("creds/deploy"), get("sts/deploy"), post("creds/deploy", nil), post("sts/deploy", object{"ttl": 1800})}
	story := func(name string, first ...request) sitting {
		return alone(name, steps(slices.Concat(first, use)...)...)
	}
	all := []sitting{
		story("policy", role(object{"policy": ec2Policy})),
		story("arn of a policy", role(object{"arn": readOnly})),
		story("arn of a role", role(object{"arn": iamRole})),
		story("arn in policy", role(object{"policy": readOnly})),
		story("policy in arn", role(object{"arn": ec2Policy})),
		story("policy replaces a role", role(fullRoles()["iam_user"]), role(object{"policy": ec2Policy})),
		story("arn replaces a policy", role(object{"policy": ec2Policy}), role(object{"arn": iamRole})),
		story("policy and an empty arn", role(object{"policy": ec2Policy, "arn": ""})),
		story("policy rewritten in full", role(object{"policy": ec2Policy}), role(object{"credential_type": "iam_user"})),
		story("arn rewritten in full", role(object{"arn": iamRole}), role(object{"credential_type": "assumed_role"})),
		story("policy changed in part", role(object{"policy": ec2Policy}), role(object{"policy_document": s3Policy})),
		alone("policy and arn", steps(role(object{"policy": ec2Policy, "arn": readOnly}), get("roles/deploy"))...),
		alone("policy that is no policy", steps(role(object{"policy": "nonsense"}))...),
		alone("arn of a user", steps(role(object{"arn": "arn:aws:iam::123456789012:user/x"}))...),
	}
	fields := roleValues()
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if field != "policy" && field != "arn" {
			all = append(all,
				alone("policy beside "+field, steps(role(object{"policy": ec2Policy, field: fields[field].valid[0]}), get("roles/deploy"))...),
				alone("policy beside an empty "+field, steps(role(object{"policy": ec2Policy, field: fields[field].empty[0]}), get("roles/deploy"))...))
		}
	}
	return all
}

// storedStories use what older versions have stored.
func storedStories() []sitting {
	use := []request{
		list("roles"), get("roles/deploy"), get("creds/deploy"), get("sts/deploy"), list("roles"),
		post("roles/deploy", object{"credential_type": "iam_user", "policy_document": ec2Policy}), get("roles/deploy"), get("creds/deploy"),
		del("roles/deploy"), list("roles"),
	}
	var all []sitting
	for _, s := range []struct{ name, key, value string }{
		{"policy of 0.10", "policy/deploy", ec2Policy},
		{"policy arn of 0.10", "policy/deploy", readOnly},
		{"role arn of 0.10", "policy/deploy", iamRole},
		{"user arn of 0.10", "policy/deploy", "arn:aws:iam::123456789012:user/x"},
		{"nonsense of 0.10", "policy/deploy", "{ nonsense"},
		{"role with nulls", "role/deploy", `{"credential_types":["iam_user"],"policy_arns":null,"role_arns":null,"policy_document":` + fmt.Sprintf("%q", ec2Policy) + `,"prohibit_flexible_cred_path":false,"version":1}`},
		{"role upgraded from 0.10", "role/deploy", `{"credential_types":["iam_user","federation_token"],"policy_document":` + fmt.Sprintf("%q", ec2Policy) + `,"prohibit_flexible_cred_path":true,"version":1}`},
		{"role with times in nanoseconds", "role/deploy", `{"credential_types":["federation_token"],"policy_document":` + fmt.Sprintf("%q", ec2Policy) + `,"default_sts_ttl":1800000000000,"max_sts_ttl":3600000000000,"version":1}`},
		{"role with invalid data", "role/deploy", `{"credential_types":null,"invalid_data":"{ nonsense","version":1}`},
		{"role with an odd MFA serial", "role/deploy", `{"credential_types":["iam_user"],"policy_document":` + fmt.Sprintf("%q", ec2Policy) + `,"mfa_serial_number":"x","version":1}`},
	} {
		all = append(all, alone("stored "+s.name, append([]step{stored(s.key, s.value)}, steps(use...)...)...))
	}
	both := []step{stored("policy/deploy", ec2Policy), stored("role/deploy", `{"credential_types":["session_token"],"version":1}`)}
	return append(all,
		alone("stored twice", append(both, steps(use...)...)...),
		alone("stored lease", append([]step{stored("config/lease", `{"Lease":1800000000000,"LeaseMax":3600000000000}`)}, steps(get("config/lease"), post("roles/deploy", roleForms()["iam_user"]), get("creds/deploy"))...)...),
		alone("stored static creds without expiration", stored("static-roles/app", `{"name":"app","id":"AIDAABSENT","username":"legacy-app","rotation_period":86400000000000}`),
			stored("static-creds/app", `{"access_key":"AKIAABSENTABSENTABSE","secret_key":"x"}`), step{request: get("static-creds/app")}, step{request: get("static-roles/app")}, step{request: list("static-roles")}))
}
