package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// classOrder is the order in which values are sent.
var classOrder = []class{valid, empty, wrongType, outOfRange, legacy}

// A form is a request that is generated once for every value of every field.
type form struct {
	name   string // of what it is sent with: the credential type
	make   func(body object) request
	base   object            // the fields of a valid request
	values map[string]values // of the fields that it varies
	given  []step
	again  []step    // between two values; nil: every value has a mount of its own
	after  []request // what is asked next
}

// sittings are the form's cases, one for each value.
func (f form) sittings() []sitting {
	var cases []testCase
	for _, field := range slices.Sorted(maps.Keys(f.values)) {
		v := f.values[field]
		for _, c := range classOrder {
			for _, value := range v.byClass()[c] {
				cases = append(cases, f.testCase(field, c, value, v.with))
			}
		}
	}
	if f.again != nil {
		return []sitting{{given: f.given, again: f.again, cases: cases}}
	}
	var all []sitting
	for _, c := range cases {
		all = append(all, sitting{given: f.given, cases: []testCase{c}})
	}
	return all
}

func (f form) testCase(field string, c class, value any, with object) testCase {
	body := object{}
	maps.Copy(body, f.base)
	maps.Copy(body, with)
	body[field] = value
	r := f.make(body)
	r.field, r.class = field, c
	name := strings.TrimSpace(fmt.Sprintf("%s %s:%s %s", f.name, field, c, short(value)))
	return testCase{name, steps(append([]request{r}, f.after...)...)}
}

// short is a value in JSON, cut to what fits into a line.
func short(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // of a value in a table
	}
	if len(text) > 60 {
		text = append(text[:57], "..."...)
	}
	return string(text)
}

// poster makes requests that send their fields in the body.
func poster(path string) func(object) request {
	return func(body object) request { return post(path, body) }
}

// getter makes requests that send their fields in the query. A value that is no
// string is sent as what a client makes of it: a list as a repeated parameter.
func getter(path string) func(object) request {
	return func(body object) request {
		r := query("GET", path)
		for name, value := range body {
			if list, ok := value.([]any); ok {
				for _, element := range list {
					r.query.Add(name, fmt.Sprint(element))
				}
				continue
			}
			r.query.Add(name, fmt.Sprint(value))
		}
		return r
	}
}

// roleForms are the bases of roles, by credential type.
func roleForms() map[string]object {
	return map[string]object{
		"iam_user":         {"credential_type": "iam_user", "policy_document": ec2Policy},
		"assumed_role":     {"credential_type": "assumed_role", "role_arns": []any{iamRole}},
		"federation_token": {"credential_type": "federation_token", "policy_document": ec2Policy},
		"session_token":    {"credential_type": "session_token"},
	}
}

// fullRoles have every field that applies to their type.
func fullRoles() map[string]object {
	return map[string]object{
		"iam_user": {
			"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": []any{readOnly}, "iam_groups": []any{group},
			"iam_tags": object{"k": "v"}, "user_path": "/old/", "permissions_boundary_arn": boundary,
		},
		"assumed_role": {
			"credential_type": "assumed_role", "role_arns": []any{iamRole}, "policy_document": ec2Policy, "policy_arns": []any{readOnly},
			"iam_groups": []any{group}, "session_tags": object{"k": "v"}, "external_id": "x", "default_sts_ttl": 1200, "max_sts_ttl": 2400,
		},
		"session_token": {"credential_type": "session_token", "mfa_serial_number": "x", "default_sts_ttl": 1200, "max_sts_ttl": 2400},
	}
}

// forms are all forms.
func (w *world) forms() []form {
	app := object{"username": appUser, "rotation_period": "24h"}
	asBefore := object{"username": appUser, "rotation_period": "24h", "rotation_schedule": "", "grace": "", "key_adoption": ""}
	all := []form{
		{make: poster("config/root"), values: w.rootValues(), after: []request{get("config/root")}},
		{make: poster("config/lease"), values: leaseValues(), after: []request{get("config/lease")}},
		{
			make: poster("static-roles/app"), base: app, values: newStaticValues(), again: steps(del("static-roles/app")),
			after: []request{get("static-roles/app"), get("static-creds/app")},
		},
		{
			name: "update", make: poster("static-roles/app"), values: staticValues(), after: []request{get("static-roles/app")},
			given: steps(post("static-roles/app", app)), again: steps(post("static-roles/app", asBefore)),
		},
	}
	all = append(all, ourForms()...)
	for _, t := range slices.Sorted(maps.Keys(roleForms())) {
		base := roleForms()[t]
		all = append(all, form{
			name: t, make: poster("roles/deploy"), base: base, values: roleValues(), again: steps(del("roles/deploy")),
			after: []request{get("roles/deploy"), get("creds/deploy")},
		})
		for _, path := range []string{"creds/deploy", "sts/deploy"} {
			given := steps(post("roles/deploy", base))
			all = append(all,
				form{name: t, make: poster(path), given: given, again: []step{}, values: credsValues()},
				form{name: t, make: getter(path), given: given, again: []step{}, values: credsValues()})
		}
	}
	for _, t := range slices.Sorted(maps.Keys(fullRoles())) {
		full := post("roles/deploy", fullRoles()[t])
		all = append(all, form{
			name: "update " + t, make: poster("roles/deploy"), given: steps(full), again: steps(del("roles/deploy"), full),
			values: roleValues(), after: []request{get("roles/deploy")},
		})
	}
	return all
}

// ourForms are those of paths that only this engine has.
func ourForms() []form {
	lister := func(body object) request {
		r := getter("users")(body)
		r.method = "LIST"
		return r
	}
	keys := map[string]values{"access_key": text([]any{"AKIAABSENTABSENTABSE"}, "no key")}
	return []form{
		{make: lister, values: usersValues(), again: []step{}},
		{make: poster("lookup"), values: keys, again: []step{}},
		{make: poster("tidy"), values: tidyValues(), after: []request{post("tidy-cancel", nil)}},
		{make: getter("metrics"), values: map[string]values{"format": text([]any{"prometheus"}, "xml")}, again: []step{}},
	}
}

// newStaticValues are the values that matter to a new static role. Taking over a
// user takes two seconds here, so that each field has one valid value only, but
// for those that both engines have.
func newStaticValues() map[string]values {
	all := staticValues()
	for field, v := range all {
		if field != "username" && field != "rotation_period" {
			all[field] = values{valid: v.valid[:1], wrongType: v.wrongType[:1], outOfRange: v.outOfRange, with: v.with}
		}
	}
	return all
}

// operations send every method to every path, whether the path has it or not, and
// ask for the help of each.
func operations(declared api) []sitting {
	all := []sitting{alone("", steps(help(""))...)}
	for _, p := range declared.paths() {
		path := strings.ReplaceAll(p, ":name", "deploy")
		all = append(all, alone("", steps(help(path))...))
		for _, method := range []string{"GET", "POST", "PATCH", "LIST", "DELETE"} {
			r := request{method: method, path: path}
			bare := alone("of nothing", steps(r)...)
			bare.bare = true
			all = append(all, bare, alone("without body", steps(r)...))
		}
		if folder, ok := strings.CutSuffix(path, "deploy"); ok {
			all = append(all, named(folder)...)
		}
	}
	return all
}

// named are requests for names at the borders of what a name may be.
func named(folder string) []sitting {
	var all []sitting
	for _, name := range []string{"-x", "x-", "a@b.c", "a%20b", "a/b", "_x", "%C3%A9", strings.Repeat("x", 129)} {
		all = append(all, alone("named "+short(name), steps(get(folder+name), post(folder+name, object{"credential_type": "session_token"}))...))
	}
	return all
}
