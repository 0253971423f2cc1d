package parity

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// A request is one request to a mount, or, if its path begins with sys/, to
// Vault about it. $LEASE stands for the lease of the last credential, $USER for the
// last IAM user made, $MOUNT for the mount, $MFA for a code of the MFA device,
// $AWS for the endpoint of the side's AWS.
type request struct {
	method, path string // the path is below the mount
	query        url.Values
	body         object
	field        string // what a generated request is about, and the class of its value
	class        class
}

func get(path string) request                 { return request{method: "GET", path: path} }
func list(path string) request                { return request{method: "LIST", path: path} }
func del(path string) request                 { return request{method: "DELETE", path: path} }
func post(path string, b object) request      { return request{method: "POST", path: path, body: b} }
func put(path string, b object) request       { return request{method: "PUT", path: path, body: b} }
func help(path string) request                { return query("HELP", path, "help", "1") }
func search(path string, q ...string) request { return query("GET", path, q...) }

func query(method, path string, pairs ...string) request {
	r := request{method: method, path: path, query: url.Values{}}
	for i := 0; i < len(pairs); i += 2 {
		r.query.Add(pairs[i], pairs[i+1])
	}
	return r
}

// sends reports whether the request has the field.
func (r request) sends(field string) bool {
	_, inBody := r.body[field]
	return inBody || r.query.Has(field)
}

// key is the request as it goes out, but for names in its path: two requests with
// the same key differ in nothing else.
func (r request) key(declared api) string {
	body, err := json.Marshal(r.body)
	if err != nil {
		panic(err) // of a value in a table
	}
	return fmt.Sprintf("%s %s?%s %s", r.method, r.operation(declared), r.query.Encode(), body)
}

// operation is the request's operation in the declared API: "POST roles/:name".
// Of requests for what is not declared it is method and path.
func (r request) operation(declared api) string {
	method, path := r.method, strings.Trim(r.path, "/")
	switch {
	case method == "PUT":
		method = "POST"
	case r.query.Get("list") == "true":
		method = "LIST"
	}
	for operation := range declared {
		if _, p, _ := strings.Cut(operation, " "); isAt(p, path) {
			return method + " " + p
		}
	}
	return method + " " + path
}

// nameShape is what Vault takes as :name.
var nameShape = regexp.MustCompile(`^\w(([\w-.@]+)?\w)?$`)

// isAt reports whether a path is one of those that a template such as roles/:name
// stands for.
func isAt(template, path string) bool {
	folder, named := strings.CutSuffix(template, ":name")
	if !named {
		return path == template
	}
	name, below := strings.CutPrefix(path, folder)
	return below && nameShape.MatchString(name)
}

// A step of a case is a request, or something that happens around the mounts.
type step struct {
	request
	happens func(*side) error
}

// A testCase is a story that is told to both engines.
type testCase struct {
	name  string
	steps []step
}

// A sitting is cases that one mount goes through, one after the other.
type sitting struct {
	config object // what config/root is written with besides the usual
	bare   bool   // config/root is not written at all
	given  []step // what comes before the first case; every request must be accepted
	again  []step // what comes before each of the others
	cases  []testCase
}

// alone is a sitting of one case.
func alone(name string, steps ...step) sitting {
	return sitting{cases: []testCase{{name, steps}}}
}

func steps(requests ...request) []step {
	var all []step
	for _, r := range requests {
		all = append(all, step{request: r})
	}
	return all
}

// label says which request of which case this is, as rows of the table of
// differences match it: "POST roles/:name iam_user policy_arns:empty []".
func (c testCase) label(r request, declared api) string {
	_, path, _ := strings.Cut(r.operation(declared), " ")
	return strings.Join(strings.Fields(r.method+" "+path+" "+c.name), " ")
}
