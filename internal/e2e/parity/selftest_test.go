package parity

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// The judge is judged here, by observations that nobody made.

// oneField is an API of one operation with one field.
var oneField = api{"POST things/:name": {"size": {kind: "integer"}}}

// covering are exchanges that cover every cell of oneField. The sides agree.
func covering() []exchange {
	all := []exchange{{request: help("things/x")}, {request: post("things/x", nil)}}
	for _, c := range []class{valid, empty, wrongType, outOfRange, legacy} {
		r := post("things/x", object{"size": 1})
		r.field, r.class = "size", c
		all = append(all, exchange{testCase: testCase{name: "size:" + string(c)}, request: r})
	}
	return all
}

func mustParse(t *testing.T, rows ...string) []*row {
	t.Helper()
	page := "## Differences\n\n| a | b | c | d | e |\n|---|---|---|---|---|\n" + strings.Join(rows, "\n")
	parsed, err := parseDeclared(page)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestJudge(t *testing.T) {
	const accepts = "| `POST things/:name size:out of range` | `status 400→204` | refuses | accepts | why not |"
	differing := covering()
	differing[5].builtin.status, differing[5].plugin.status = 400, 204
	for _, tc := range []struct {
		name     string
		rows     []string
		all      []exchange
		want     report
		problems []string // beginnings
	}{
		{name: "all agree", all: covering(), want: report{requests: 7, equal: 7}},
		{name: "a difference with a row", rows: []string{accepts}, all: differing, want: report{requests: 7, equal: 6, declared: 1}},
		{
			name: "a difference without a row", all: differing, want: report{requests: 7, equal: 6, undeclared: 1},
			problems: []string{"undeclared difference\n  request POST things/:name size:out of range\n  aspect  status 400→204"},
		},
		{
			name: "a row for another class", rows: []string{strings.Replace(accepts, "out of range", "valid", 1)}, all: differing, want: report{requests: 7, equal: 6, undeclared: 1},
			problems: []string{"undeclared difference", "docs/compatibility.md, line 5: `POST things/:name size:valid`", "docs/compatibility.md, line 5: `status 400→204`"},
		},
		{
			name: "a row that nothing needs", rows: []string{accepts}, all: covering(), want: report{requests: 7, equal: 7},
			problems: []string{"docs/compatibility.md, line 5: `POST things/:name size:out of range`: nothing needs it", "docs/compatibility.md, line 5: `status 400→204`: nothing needs it"},
		},
		{
			name: "an aspect that nothing needs", rows: []string{strings.Replace(accepts, "→204`", "→204` `+data.x`", 1)}, all: differing, want: report{requests: 7, equal: 6, declared: 1},
			problems: []string{"docs/compatibility.md, line 5: `+data.x`: nothing needs it"},
		},
		{name: "a class of a field that is not sent", all: covering()[:6], want: report{requests: 6, equal: 6}, problems: []string{"uncovered cell: POST things/:name size:legacy"}},
		{name: "help that nobody asks for", all: covering()[1:], want: report{requests: 6, equal: 6}, problems: []string{"uncovered cell: HELP things/:name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, problems := judge(oneField, mustParse(t, tc.rows...), tc.all)
			if got != tc.want {
				t.Errorf("report %+v, want %+v", got, tc.want)
			}
			if !slices.EqualFunc(problems, tc.problems, strings.HasPrefix) {
				t.Errorf("problems %q, want %q", problems, tc.problems)
			}
		})
	}
}

func TestClosingLine(t *testing.T) {
	got := report{requests: 7, equal: 4, declared: 2, undeclared: 1}.String()
	if want := "parity: 7 requests, 4 equal, 2 declared differences, 1 undeclared"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCompare(t *testing.T) {
	ok := func(data object) observation { return observation{status: 200, data: data} }
	for _, tc := range []struct {
		name            string
		builtin, plugin observation
		want            []string // aspects
	}{
		{name: "equal", builtin: ok(object{"a": "x"}), plugin: ok(object{"a": "x"})},
		{name: "keys", builtin: ok(object{"a": 1, "b": 1}), plugin: ok(object{"b": 1, "c": 1}), want: []string{"-data.a", "+data.c"}},
		{name: "null is not empty", builtin: ok(object{"a": nil}), plugin: ok(object{"a": []any{}}), want: []string{"data.a null→empty"}},
		{name: "text is no number", builtin: ok(object{"a": "1"}), plugin: ok(object{"a": json.Number("1")}), want: []string{"data.a 1→1"}},
		{name: "data that is null", builtin: observation{status: 200, noData: true}, plugin: observation{status: 200}, want: []string{"data"}},
		{name: "lease", builtin: observation{status: 200, lease: map[string]string{"renewable": "true"}}, plugin: observation{status: 200, lease: map[string]string{"renewable": "false"}}, want: []string{"lease.renewable true→false"}},
		{name: "warnings", builtin: observation{status: 200, warnings: []string{"legacy"}}, plugin: observation{status: 200, warnings: []string{"replaced"}}, want: []string{"+warning.replaced", "-warning.legacy"}},
		{name: "warnings explain a 200", builtin: observation{status: 204}, plugin: observation{status: 200, warnings: []string{"replaced"}}, want: []string{"+warning.replaced"}},
		{name: "nothing explains a 200", builtin: observation{status: 204}, plugin: observation{status: 200}, want: []string{"status 204→200"}},
		{name: "accepted and refused, answers are not compared", builtin: ok(object{"a": 1}), plugin: observation{status: 400, errors: []string{"x"}}, want: []string{"status 200→400"}},
		{name: "effects, also of what is refused", builtin: observation{status: 400, effects: []string{"+key of u: k"}}, plugin: observation{status: 400}, want: []string{"-effect.key"}},
		{name: "effects of the same kind", builtin: observation{status: 200, effects: []string{"+tag of u: a=1"}}, plugin: observation{status: 200, effects: []string{"+tag of u: a=2"}}, want: []string{"+effect.tag", "-effect.tag"}},
		{name: "errors that name the same field", builtin: observation{status: 400, errors: []string{"'max_size' is required"}}, plugin: observation{status: 400, errors: []string{"the max size must be sent"}}},
		{name: "errors that name another field", builtin: observation{status: 400, errors: []string{"'max_size' is required"}}, plugin: observation{status: 400, errors: []string{"colour is required"}}, want: []string{"error"}},
		{name: "errors that name the same call", builtin: observation{status: 400, errors: []string{"Error creating IAM user: Nope"}}, plugin: observation{status: 400, errors: []string{"Error creating IAM user: Nope (iam:CreateUser)"}}},
		{name: "errors that name another code", builtin: observation{status: 400, errors: []string{"AccessDenied: x"}}, plugin: observation{status: 400, errors: []string{"NoSuchEntity: x"}}, want: []string{"error"}},
		{name: "a text that names nothing", builtin: observation{status: 404, errors: []string{"unsupported path"}}, plugin: observation{status: 404}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, f := range newComparer([]string{"max_size", "colour"}).compare("r", tc.builtin, tc.plugin) {
				got = append(got, f.aspect)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseDeclared(t *testing.T) {
	const cells = " | `status` | c | d | why |"
	for _, tc := range []struct {
		name, line string
		fails      bool
	}{
		{name: "a row", line: "| `GET x`" + cells},
		{name: "no request", line: "| GET x" + cells, fails: true},
		{name: "no aspect", line: "| `GET x` | status | c | d | why |", fails: true},
		{name: "no reason", line: "| `GET x` | `status` | c | d |  |", fails: true},
		{name: "a column is missing", line: "| `GET x` | `status` | d | why |", fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := parseDeclared("## Differences\n| head |\n|---|\n" + tc.line + "\n## Other\n| head |\n|---|\n| not ours |\n")
			if (err != nil) != tc.fails {
				t.Errorf("error %v", err)
			}
			if err == nil && len(rows) != 1 {
				t.Errorf("%d rows", len(rows))
			}
		})
	}
}

func TestNormalise(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	n := normaliser{mount: "plugin/", known: map[string]string{"AKIAROOTROOTROOTROOT": "<root key>"}, now: now}
	for given, want := range map[string]string{
		"AKIAROOTROOTROOTROOT of AKIA0123456789ABCDEF":        "<root key> of <access key>",
		"vault-root-deploy-1700000000-AbCdEf0123456789AbCd":   "vault-root-deploy-<unix>-<random>",
		"plugin/creds/deploy/AbCdEf0123456789AbCdEf01":        "<mount>/creds/deploy/<lease>",
		"2026-11-22T12:59:58Z":                                "<in 1h0m0s>",
		"http://127.0.0.1:40404":                              "<endpoint>",
		"arn:aws:iam::123456789012:policy/vault-is-not-named": "arn:aws:iam::123456789012:policy/vault-is-not-named",
	} {
		if got := n.text(given); got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
	if got := n.value("ttl", json.Number("3598")); got != "1h0m0s" {
		t.Errorf("ttl 3598 is %v", got)
	}
	if got := n.value("max_sts_ttl", json.Number("3598")); got != json.Number("3598") {
		t.Errorf("max_sts_ttl 3598 is %v", got)
	}
	if got := n.value("secret_key", "wJalr"); got != "<secret>" {
		t.Errorf("secret_key is %v", got)
	}
}

func TestWarnings(t *testing.T) {
	n := normaliser{mount: "plugin/"}
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"a class", "Endpoint ignored these unrecognized parameters: [x]", []string{"unrecognized"}},
		{"a class of its own", "plugin/ is on fire", []string{"<mount>/ is on fire"}},
		{"cut", `TTL of "2h0m0s" exceeded the effective max_ttl of "1h0m0s"; TTL value is capped accordingly`, []string{"ttl-capped"}},
		{"cut by the time it took", `TTL of "768h" exceeded the effective max_ttl of "767h59m59s"; TTL value is capped accordingly`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body, err := json.Marshal(object{"warnings": []string{tc.text}})
			if err != nil {
				t.Fatal(err)
			}
			o, err := n.observation(200, body)
			if diff := cmp.Diff(tc.want, o.warnings); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func TestEffects(t *testing.T) {
	before := awssim.Account{Users: map[string]awssim.User{"a": {Name: "a", Path: "/", Groups: []string{"g"}, Keys: []awssim.Key{{ID: "AKIA0123456789ABCDEF", Status: "Active"}}}}}
	after := awssim.Account{Users: map[string]awssim.User{"a": {Name: "a", Path: "/", Keys: []awssim.Key{{ID: "AKIAFEDCBA9876543210", Status: "Active"}}}}}
	want := []string{"+key of a: <access key> Active", "-group of a: g", "-key of a: <access key> Active"}
	if diff := cmp.Diff(want, normaliser{mount: "plugin/"}.effects(before, after)); diff != "" {
		t.Error(diff)
	}
}
