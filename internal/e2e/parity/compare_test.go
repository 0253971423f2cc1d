package parity

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// A finding is one aspect in which the answers to a request differ.
type finding struct {
	request string // testCase.label
	aspect  string // "status 204→400", "+data.grace", "warning.replaced"
	builtin string // what the built-in engine said of it
	plugin  string
}

// A comparer compares observations. It knows the names of fields, as texts may
// have them.
type comparer struct{ fields map[string]*regexp.Regexp }

func newComparer(fields []string) comparer {
	c := comparer{fields: map[string]*regexp.Regexp{}}
	for _, field := range fields {
		words := strings.ReplaceAll(regexp.QuoteMeta(field), "_", "[_ ]")
		c.fields[field] = regexp.MustCompile(`(?i)(?:\b|_)` + words + `s?(?:\b|_)`)
	}
	return c
}

// compare returns the aspects in which the two differ. An aspect begins with +
// if only the plugin has it, with - if only the built-in engine has it.
//
// If one accepts what the other refuses, that and the effects in AWS are the
// difference; the answers have nothing in common to be compared.
func (c comparer) compare(request string, builtin, plugin observation) []finding {
	var all []finding
	add := func(aspect string, b, p any) {
		all = append(all, finding{request, aspect, fmt.Sprint(b), fmt.Sprint(p)})
	}
	if builtin.status != plugin.status && !warned(builtin, plugin) {
		add(fmt.Sprintf("status %d→%d", builtin.status, plugin.status), builtin.errors, plugin.errors)
	}
	compareEffects(builtin.effects, plugin.effects, add)
	if builtin.accepted() != plugin.accepted() {
		return all
	}
	compareMaps("data.", builtin.data, plugin.data, add)
	if builtin.noData != plugin.noData && builtin.status == plugin.status {
		add("data", builtin.data, plugin.data)
	}
	compareMaps("lease.", builtin.lease, plugin.lease, add)
	for _, w := range without(plugin.warnings, builtin.warnings) {
		add("+warning."+w, "", w)
	}
	for _, w := range without(builtin.warnings, plugin.warnings) {
		add("-warning."+w, w, "")
	}
	if b, p := c.subjects(builtin.errors), c.subjects(plugin.errors); len(b) > 0 && !intersect(b, p) {
		add("error", builtin.errors, plugin.errors)
	}
	return all
}

// warned reports whether the plugin answers 200 instead of 204 because it has
// warnings, which an empty answer cannot carry: the warnings are the difference.
func warned(builtin, plugin observation) bool {
	return builtin.status == 204 && plugin.status == 200 && len(plugin.warnings) > 0 && len(plugin.data) == 0
}

type adder func(aspect string, builtin, plugin any)

// compareMaps compares two maps key by key. A missing map is one whose answer
// had no body, which the status tells.
func compareMaps[V any](prefix string, builtin, plugin map[string]V, add adder) {
	keys := map[string]bool{}
	for key := range builtin {
		keys[key] = true
	}
	for key := range plugin {
		keys[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		b, inBuiltin := builtin[key]
		p, inPlugin := plugin[key]
		switch {
		case !inBuiltin:
			if plugin != nil && builtin == nil {
				continue
			}
			add("+"+prefix+key, "", p)
		case !inPlugin:
			if plugin == nil {
				continue
			}
			add("-"+prefix+key, b, "")
		case !reflect.DeepEqual(b, p):
			add(fmt.Sprintf("%s%s %s→%s", prefix, key, brief(b), brief(p)), b, p)
		}
	}
}

// brief is a value as aspects have it: what is empty by its kind, what is long
// cut.
func brief(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case []any:
		if len(v) == 0 {
			return "empty"
		}
	case object:
		if len(v) == 0 {
			return "empty"
		}
	}
	text := []rune(fmt.Sprint(v))
	return string(text[:min(len(text), 60)])
}

// compareEffects reports the kinds of effects that only one side has.
func compareEffects(builtin, plugin []string, add adder) {
	more, less := byKind(without(plugin, builtin)), byKind(without(builtin, plugin))
	for _, kind := range slices.Sorted(maps.Keys(more)) {
		add("+effect."+kind, "", more[kind])
	}
	for _, kind := range slices.Sorted(maps.Keys(less)) {
		add("-effect."+kind, less[kind], "")
	}
}

// without returns what a has more of than b, each as often as that.
func without(a, b []string) (left []string) {
	b = slices.Clone(b)
	for _, s := range a {
		if i := slices.Index(b, s); i >= 0 {
			b = slices.Delete(b, i, i+1)
			continue
		}
		left = append(left, s)
	}
	return left
}

func byKind(effects []string) map[string]string {
	kinds := map[string]string{}
	for _, e := range effects {
		kinds[effectKind(e)] += e + "\n"
	}
	return kinds
}

// leads begin texts about a call of AWS, in words.
var leads = regexp.MustCompile(`Error (creating IAM user|attaching user policy|putting user policy|adding user to group|adding tags to user|creating access keys|assuming role|generating STS keys)`)

// calls and codes are AWS's own words.
var calls = regexp.MustCompile(`\b(?:iam|sts|IAM|STS)(?::|/| )\s*([A-Z][A-Za-z]+)\b`)

var codes = regexp.MustCompile(`\b(AccessDenied|NoSuchEntity|LimitExceeded|Throttling|MalformedPolicyDocument|InvalidClientTokenId|ServiceFailure|EntityAlreadyExists|ValidationError|InvalidInput|SignatureDoesNotMatch|PackedPolicyTooLarge)\b`)

// parameters are AWS's names of fields, as AWS's texts have them; the AWS SDK's
// begin with a capital.
var parameters = map[string]string{
	"urationSeconds": "ttl", "oleSessionName": "role_session_name", "okenCode": "mfa_code", "oleArn": "role_arn", "serName": "username",
}

// subjects are the fields, AWS actions and error codes that texts name.
func (c comparer) subjects(texts []string) map[string]bool {
	all := map[string]bool{}
	text := strings.Join(texts, "\n")
	for _, pattern := range []*regexp.Regexp{leads, calls, codes} {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			all[match[1]] = true
		}
	}
	for parameter, field := range parameters {
		if strings.Contains(text, parameter) {
			all[field] = true
		}
	}
	for field, pattern := range c.fields {
		if pattern.MatchString(text) {
			all[field] = true
		}
	}
	return all
}

func intersect(a, b map[string]bool) bool {
	for key := range a {
		if b[key] {
			return true
		}
	}
	return false
}
