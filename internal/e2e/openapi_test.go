package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"

	"github.com/google/go-cmp/cmp"
)

// openAPI is the part of an OpenAPI document that these tests read.
type openAPI struct {
	Version    string                                `json:"openapi"`
	Info       json.RawMessage                       `json:"info"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

// TestOpenAPI holds what Vault itself makes of the mount's document against an
// OpenAPI validator and against the built-in engine's: generated clients call
// operations by their ids, so those of the same paths are the same, and fields
// that the built-in engine has are there.
func TestOpenAPI(t *testing.T) {
	stack := mustStart(t)
	mustRegister(t, stack)
	operator := mustShell(t, stack)
	// One after the other: Vault keeps one schema of a name.
	operator.run(t, "vault secrets enable -path=ours "+ownName)
	ours := mustDocument(t, stack, "/ours/")
	operator.run(t, "vault secrets disable ours")
	operator.run(t, "vault secrets enable -path=builtin aws")
	builtin := mustDocument(t, stack, "/builtin/")
	mustBeValid(t, ours)
	ids := ours.operationIDs(t)
	for operation, want := range builtin.operationIDs(t) {
		if got := ids[operation]; got != want {
			t.Errorf("%s: operation id %q, and %q of the built-in engine", operation, got, want)
		}
	}
	for operation, id := range ids {
		if !strings.HasPrefix(id, "aws-") {
			t.Errorf("%s: operation id %q", operation, id)
		}
	}
	fields := ours.fields(t)
	for field := range builtin.fields(t) {
		if !fields[field] {
			t.Errorf("%s is a field of the built-in engine's, and none here", field)
		}
	}
}

// fields are those of all bodies, as "AwsWriteRoleRequest policy_arns".
func (doc openAPI) fields(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for name, text := range doc.Components.Schemas {
		var schema struct {
			Properties map[string]json.RawMessage `json:"properties"`
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		for field := range schema.Properties {
			all[name+" "+field] = true
		}
	}
	if len(all) < 20 {
		t.Fatalf("fields: %v", all)
	}
	return all
}

// ownName is under what the plugin is registered beside the built-in engine.
const ownName = "vault-plugin-secrets-aws"

func mustRegister(t *testing.T, stack *devstack.Stack) {
	t.Helper()
	args, err := stack.Binaries.RegisterArgs(ownName)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := stack.Command(t.Context(), args...).CombinedOutput(); err != nil {
		t.Fatalf("register the plugin: %v\n%s", err, out)
	}
}

// mustDocument is what Vault's OpenAPI document says of a mount.
func mustDocument(t *testing.T, stack *devstack.Stack, mount string) openAPI {
	t.Helper()
	var all openAPI
	if err := json.Unmarshal(mustGet(t, stack, "sys/internal/specs/openapi", "application/json"), &all); err != nil {
		t.Fatal(err)
	}
	return all.under(mount)
}

// under is the document of one mount, as a client generator would be given it.
func (doc openAPI) under(mount string) openAPI {
	part := openAPI{Version: doc.Version, Info: doc.Info, Paths: map[string]map[string]json.RawMessage{}}
	for path, item := range doc.Paths {
		if below, is := strings.CutPrefix(path, mount); is {
			part.Paths["/"+below] = item
		}
	}
	part.Components.Schemas = map[string]json.RawMessage{}
	for name, schema := range doc.Components.Schemas {
		if strings.HasPrefix(name, "Aws") || name == "StandardListResponse" {
			part.Components.Schemas[name] = schema
		}
	}
	return part
}

func (doc openAPI) operationIDs(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for path, item := range doc.Paths {
		for _, method := range []string{"get", "post", "delete"} {
			var operation struct {
				ID string `json:"operationId"`
			}
			if item[method] == nil {
				continue
			}
			if err := json.Unmarshal(item[method], &operation); err != nil {
				t.Fatal(err)
			}
			ids[method+" "+path] = operation.ID
		}
	}
	if len(ids) < 10 {
		t.Fatalf("operations: %v", ids)
	}
	return ids
}

// mustBeValid has scripts/openapi judge a document. That is a module of its own, so
// that its library is none of the plugin's.
func mustBeValid(t *testing.T, document openAPI) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(text, []byte("$ref")) == 0 {
		t.Error("the document has lost its references")
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir, cmd.Stdin = "../../scripts/openapi", bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// mustGet reads a path of Vault's API and checks the content type.
func mustGet(t *testing.T, stack *devstack.Stack, path, contentType string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, stack.VaultAddr+"/v1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", devstack.RootToken)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %s %v", path, reply.StatusCode, body, err)
	}
	if diff := cmp.Diff(contentType, reply.Header.Get("Content-Type")); diff != "" {
		t.Errorf("content type of %s (-want +got):\n%s", path, diff)
	}
	return body
}

// TestMetricsOverHTTP: the raw text arrives as Prometheus expects it, without
// Vault's envelope.
func TestMetricsOverHTTP(t *testing.T) {
	stack := mustStart(t)
	mustRegister(t, stack)
	mustShell(t, stack).run(t, "vault secrets enable -path=aws "+ownName)
	text := mustGet(t, stack, "aws/metrics?format=prometheus", "text/plain; version=0.0.4; charset=utf-8")
	if !bytes.HasPrefix(text, []byte("# HELP vault_aws_")) || !bytes.Contains(text, []byte("\nvault_aws_info{version=\"v0.1.0\"} 1\n")) {
		t.Errorf("metrics:\n%s", text)
	}
}
