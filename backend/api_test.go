package backend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"vault-plugin-secrets-aws/backend"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// declared is the paths of a mount, in process, whichever way it is reached.
func declared(t testing.TB) *backend.Backend {
	return backend.New(t.Context(), backend.Options{Version: "v0.0.1"}, &logical.BackendConfig{Logger: hclog.NewNullLogger(), StorageView: &logical.InmemStorage{}})
}

// wantDeclared holds a success against what its operation declares: with the
// checks of Vault's own tests (sdk/helper/testhelpers/schema), every field there
// and no other, and each of the JSON type that OpenAPI says, or null.
func (m *mount) wantDeclared(req *logical.Request, got answer) {
	m.Helper()
	if got.status != http.StatusOK && got.status != http.StatusNoContent || got.data[logical.HTTPRawBody] != nil {
		return
	}
	path := m.paths().Route(req.Path)
	if path == nil || path.Operations[req.Operation] == nil {
		return // the request of a lease
	}
	responses := path.Operations[req.Operation].Properties().Responses[got.status]
	if len(responses) != 1 {
		m.Errorf("%s %s: status %d is not declared", req.Operation, req.Path, got.status)
		return
	}
	data := framework.FieldData{Raw: plain(m, got.data), Schema: responses[0].Fields}
	if err := data.ValidateStrict(); err != nil {
		m.Errorf("%s %s: %v; answer %v", req.Operation, req.Path, err, got.data)
	}
	for field, value := range data.Raw {
		if schema := responses[0].Fields[field]; schema == nil || value != nil && jsonType(value) != openAPIType(schema.Type) {
			m.Errorf("%s %s: field %s is %v, which is not what is declared", req.Operation, req.Path, field, value)
		}
	}
}

// declaration is what a mount declares, once it was asked for.
type declaration struct {
	once  sync.Once
	paths *backend.Backend
}

func (m *mount) paths() *backend.Backend {
	m.declared.once.Do(func() { m.declared.paths = declared(m) })
	return m.declared.paths
}

// jsonType is the type of a value that went through JSON, whole numbers as ints.
func jsonType(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case int, float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	}
	return "object"
}

// openAPIType is the type that the framework writes into OpenAPI; integers are
// numbers.
func openAPIType(t framework.FieldType) string {
	switch t {
	case framework.TypeInt, framework.TypeInt64, framework.TypeFloat:
		return "number"
	case framework.TypeBool:
		return "boolean"
	case framework.TypeSlice, framework.TypeStringSlice, framework.TypeCommaStringSlice:
		return "array"
	case framework.TypeMap, framework.TypeKVPairs:
		return "object"
	}
	return "string" // durations of requests, too
}

func TestEveryOperationIsDescribed(t *testing.T) {
	for _, missing := range declared(t).Undescribed() {
		t.Error(missing)
	}
}

// TestOperationIDs: those of the built-in engine's paths are the built-in
// engine's, which internal/e2e compares on a real Vault.
func TestOperationIDs(t *testing.T) {
	m := newMount(t, inProcess)
	document := m.document(nil)
	got := map[string]string{}
	for path, item := range document.Paths {
		for method, op := range map[string]*framework.OASOperation{"GET": item.Get, "POST": item.Post, "DELETE": item.Delete} {
			if op != nil {
				got[method+" "+path] = op.OperationID
			}
		}
	}
	want := map[string]string{
		"DELETE /roles/{name}": "aws-delete-role", "DELETE /static-roles/{name}": "aws-delete-static-roles-name",
		"GET /config/iam-policy": "aws-read-iam-policy", "GET /diagnose": "aws-read-diagnose",
		"GET /config/lease": "aws-read-lease-configuration", "GET /config/root": "aws-read-root-iam-credentials-configuration",
		"GET /creds/{name}": "aws-generate-credentials", "GET /metrics": "aws-read-metrics", "GET /roles/": "aws-list-roles",
		"GET /roles/{name}": "aws-read-role", "GET /static-creds/{name}": "aws-read-static-creds-name", "GET /static-roles/": "aws-list-static-roles",
		"GET /static-roles/{name}": "aws-read-static-roles-name", "GET /sts/{name}": "aws-generate-sts-credentials",
		"GET /tidy-status": "aws-read-tidy-status", "GET /users/": "aws-list-users", "GET /users/{name}": "aws-read-user",
		"POST /config/lease": "aws-configure-lease", "POST /config/root": "aws-configure-root-iam-credentials",
		"POST /config/rotate-root": "aws-rotate-root-iam-credentials", "POST /creds/{name}": "aws-generate-credentials-with-parameters",
		"POST /lookup": "aws-look-up-access-key", "POST /roles/{name}": "aws-write-role", "POST /rotate-role/{name}": "aws-rotate-static-role",
		"POST /static-roles/{name}": "aws-write-static-roles-name", "POST /sts/{name}": "aws-generate-sts-credentials-with-parameters",
		"POST /tidy": "aws-start-tidy", "POST /tidy-cancel": "aws-cancel-tidy",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operation ids (-want +got):\n%s", diff)
	}
}

// document is the mount's OpenAPI document, as it decodes from JSON.
func (m *mount) document(data map[string]any) (doc framework.OASDocument) {
	m.Helper()
	m.must(json.Unmarshal(m.documentText(data), &doc))
	return doc
}

func (m *mount) documentText(data map[string]any) []byte {
	m.Helper()
	resp, err := m.backend.HandleRequest(m.Context(), &logical.Request{Operation: logical.HelpOperation, Data: data, Storage: m.storage})
	m.must(err)
	text, err := json.Marshal(resp.Data["openapi"])
	m.must(err)
	return text
}

// TestComposedDocument: Vault asks for the document with a prefix and decodes it by
// the names of Go's fields; it then still has every reference.
func TestComposedDocument(t *testing.T) {
	onBoth(t, func(t *testing.T, load loader) {
		m := newMount(t, load)
		var received map[string]any
		m.must(json.Unmarshal(m.documentText(map[string]any{"requestResponsePrefix": "aws"}), &received))
		document, err := framework.NewOASDocumentFromMap(received)
		m.must(err)
		seen, err := json.Marshal(document)
		m.must(err)
		direct := m.documentText(nil)
		if want, got := bytes.Count(direct, []byte(`"$ref"`)), bytes.Count(seen, []byte(`"$ref"`)); got != want || got == 0 {
			t.Errorf("%d references, want %d", got, want)
		}
		if bytes.Contains(direct, []byte(`"ref"`)) {
			t.Error("the document of path-help repeats its references")
		}
	})
}

// columns is the width of a terminal.
const columns = 80

// TestHelpFitsATerminal: every path has a synopsis and a description, every field
// one that ends like a sentence, and no line of path-help is too long. The route is
// the framework's.
func TestHelpFitsATerminal(t *testing.T) {
	m := newMount(t, inProcess)
	for _, p := range m.paths().Paths {
		if !strings.HasSuffix(p.HelpSynopsis, ".") || len(p.HelpDescription) < 40 {
			t.Errorf("%s: synopsis %q, description %q", p.Pattern, p.HelpSynopsis, p.HelpDescription)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
			if text := p.Fields[name].Description; !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…") {
				t.Errorf("%s: the description of %s does not end: %q", p.Pattern, name, text)
			}
		}
		for kind, op := range p.Operations {
			if summary := op.Properties().Summary; !strings.HasSuffix(summary, ".") {
				t.Errorf("%s: the summary of %s is %q", p.Pattern, kind, summary)
			}
		}
	}
	paths := []string{""}
	for path := range m.document(nil).Paths {
		paths = append(paths, strings.Trim(strings.ReplaceAll(path, "{name}", "x"), "/"))
	}
	for _, path := range paths {
		resp, err := m.backend.HandleRequest(t.Context(), &logical.Request{Operation: logical.HelpOperation, Path: path, Storage: m.storage})
		m.must(err)
		for line := range strings.Lines(fmt.Sprint(resp.Data["help"])) {
			line = strings.TrimRight(line, "\n")
			if utf8.RuneCountInString(line) > columns && !strings.HasPrefix(line, "Matching Route:") {
				t.Errorf("help of %q: %d columns: %s", path, utf8.RuneCountInString(line), line)
			}
		}
	}
}
