package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// An observation is what came of a request: the answer and its effects, without
// what is random.
type observation struct {
	status   int
	data     object
	noData   bool              // there is an answer, and its data is null
	lease    map[string]string // renewable, lease_duration, and whether there is one
	warnings []string          // by class
	errors   []string
	effects  []string // in the account: "+user x path /"
}

// accepted reports whether the engine did what was asked for.
func (o observation) accepted() bool { return o.status/100 == 2 }

// answer is the body of Vault's answers.
type answer struct {
	LeaseID       string      `json:"lease_id"`
	LeaseDuration json.Number `json:"lease_duration"`
	Renewable     bool
	Data          object
	Warnings      []string
	Errors        []string
	WrapInfo      any `json:"wrap_info"`
	Auth          any

	Help string // of help=1
}

// observe sends a request and looks at what comes of it.
func (s *side) observe(r request) (observation, error) {
	before, err := s.accountBefore()
	if err != nil {
		return observation{}, err
	}
	status, body, err := s.request(r)
	if err != nil {
		return observation{}, err
	}
	after, err := s.account()
	if err != nil {
		return observation{}, err
	}
	s.before = &after
	s.noteUser(before, after)
	n := normaliser{mount: s.mount, known: s.known(), now: time.Now()}
	o, err := n.observation(status, body)
	o.effects = n.effects(before, after)
	if r.method == "HELP" && err == nil && o.accepted() {
		o.data, err = helpData(r, body)
	}
	return o, err
}

// known names the key of the root user, by which cases tell it from new ones.
func (s *side) known() map[string]string {
	return map[string]string{s.root.AccessKey: "<root key>"}
}

// observation reads an answer.
func (n normaliser) observation(status int, body []byte) (observation, error) {
	o := observation{status: status}
	if len(body) == 0 {
		return o, nil
	}
	var a answer
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	if err := numbers.Decode(&a); err != nil {
		return o, fmt.Errorf("%w in %s", err, body)
	}
	o.noData = a.Data == nil
	o.data = n.value("", a.Data).(object)
	o.lease = map[string]string{
		"id": fmt.Sprint(a.LeaseID != ""), "renewable": fmt.Sprint(a.Renewable), "duration": fmt.Sprint(minutes(a.LeaseDuration)),
		"wrapped": fmt.Sprint(a.WrapInfo != nil), "auth": fmt.Sprint(a.Auth != nil),
	}
	for _, w := range a.Warnings {
		if !cutBySeconds(w) {
			o.warnings = append(o.warnings, n.warningClass(w))
		}
	}
	slices.Sort(o.warnings)
	o.errors = a.Errors
	return o, nil
}

// helpData is what help shows: that there is a text, and of the mount itself the
// fields of every operation.
func helpData(r request, body []byte) (object, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	data := object{"help": len(a.Help) > 0}
	if r.path != "" {
		return data, nil
	}
	declared, err := parseAPI(body)
	for operation, fields := range declared {
		data[operation] = "declared"
		for field, d := range fields {
			data[operation+" "+field] = d.String()
		}
	}
	return data, err
}

// warningClasses name what a warning is about. A warning that none matches is a
// class of its own.
var warningClasses = []struct {
	class   string
	pattern *regexp.Regexp
}{
	{"unrecognized", regexp.MustCompile(`^Endpoint ignored these unrecognized parameters`)},
	{"replaced", regexp.MustCompile(`^Endpoint replaced the value of these parameters`)},
	{"legacy", regexp.MustCompile(`^Detected use of legacy role or policy parameter`)},
	{"invalid-data-cleared", regexp.MustCompile(`^Invalid data of .* cleared out of role`)},
	{"ttl-capped", cut},
	{"ttl-cut", regexp.MustCompile(`^ttl .* is cut to `)},
	{"no-effect", regexp.MustCompile(`has no effect`)},
	{"no-effect", regexp.MustCompile(`no credentials can be issued|no federation token can be issued`)},
	{"not-an-arn", regexp.MustCompile(`which is not an ARN`)},
	{"unknown-region", regexp.MustCompile(`is no region of AWS that this version knows`)},
	{"unencrypted", regexp.MustCompile(`is not encrypted`)},
	{"randomness", regexp.MustCompile(`random`)},
	{"lease-above-max", regexp.MustCompile(`lease is more than lease_max`)},
	{"policy-document", regexp.MustCompile(`^policy_document `)},
	{"template", regexp.MustCompile(`username_template|session_name_template|source_identity_template`)},
	{"identity", regexp.MustCompile(`(?i)GetCallerIdentity|credentials`)},
}

func (n normaliser) warningClass(text string) string {
	for _, c := range warningClasses {
		if c.pattern.MatchString(text) {
			return c.class
		}
	}
	return n.text(text)
}

// cut is Vault's warning that a lease is cut to what is left of its maximum.
var cut = regexp.MustCompile(`(?i)^TTL of "(\S+)" exceeded the effective max_ttl of "(\S+)"`)

// cutBySeconds reports whether a lease is cut by less than a minute: that is the
// time since it was issued, of which there may be a second or none.
func cutBySeconds(warning string) bool {
	match := cut.FindStringSubmatch(warning)
	if match == nil {
		return false
	}
	wanted, err1 := time.ParseDuration(match[1])
	given, err2 := time.ParseDuration(match[2])
	return err1 == nil && err2 == nil && wanted-given < time.Minute
}

// effects are the facts about the account that a request made true or false.
func (n normaliser) effects(before, after awssim.Account) []string {
	was, is := facts(before), facts(after)
	var effects []string
	for fact := range is {
		for range is[fact] - was[fact] {
			effects = append(effects, "+"+n.text(fact))
		}
	}
	for fact := range was {
		for range was[fact] - is[fact] {
			effects = append(effects, "-"+n.text(fact))
		}
	}
	slices.Sort(effects)
	return effects
}

// facts counts the facts about an account. The first word of each is its kind.
func facts(a awssim.Account) map[string]int {
	facts := map[string]int{}
	note := func(format string, args ...any) { facts[fmt.Sprintf(format, args...)]++ }
	for _, u := range a.Users {
		note("path of %s: %s", u.Name, u.Path)
		note("boundary of %s: %s", u.Name, u.Boundary)
		for key, value := range u.Tags {
			note("tag of %s: %s=%s", u.Name, key, value)
		}
		for name, document := range u.InlinePolicies {
			note("policy of %s: %s %s", u.Name, name, compact(document))
		}
		for _, arn := range u.AttachedPolicies {
			note("attachment of %s: %s", u.Name, arn)
		}
		for _, g := range u.Groups {
			note("group of %s: %s", u.Name, g)
		}
		for _, k := range u.Keys {
			note("key of %s: %s %s", u.Name, k.ID, k.Status)
		}
		for range len(u.MFADevices) + len(u.SideKeys) {
			note("device of %s", u.Name)
		}
	}
	others, err := json.Marshal(object{"groups": len(a.Groups), "roles": a.Roles, "policies": len(a.Policies), "root": len(a.RootKeys)})
	if err != nil {
		panic(err) // of maps and strings
	}
	note("rest: %s", others)
	return facts
}

// compact is a policy document without white space.
func compact(document string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(document)) != nil {
		return document
	}
	return out.String()
}

// effectKind is the first word of an effect: what it is about.
func effectKind(effect string) string {
	kind, _, _ := strings.Cut(effect[1:], " ")
	return strings.TrimSuffix(kind, ":")
}
