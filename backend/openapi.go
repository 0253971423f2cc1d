package backend

import (
	"encoding/json"

	"github.com/hashicorp/vault/sdk/logical"
)

// composed makes the help of the mount such that Vault's own OpenAPI document, of
// all mounts, keeps the references in it. Vault decodes a plugin's document by the
// names of Go's fields, so it passes over "$ref" and takes "ref" (NewOASDocumentFromMap
// in sdk/framework/openapi.go, 0.25.1). Vault asks for that document with a prefix
// for names; whoever asks for help only gets it as it is.
func composed(req *logical.Request, resp *logical.Response) error {
	if req.Operation != logical.HelpOperation || resp == nil || req.Data["requestResponsePrefix"] == nil {
		return nil
	}
	text, err := json.Marshal(resp.Data["openapi"])
	if err != nil {
		return err
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	repeatReferences(document)
	resp.Data["openapi"] = document
	return nil
}

// repeatReferences adds a "ref" to each "$ref".
func repeatReferences(part any) {
	switch part := part.(type) {
	case map[string]any:
		for _, below := range part {
			repeatReferences(below)
		}
		if reference, is := part["$ref"]; is {
			part["ref"] = reference
		}
	case []any:
		for _, below := range part {
			repeatReferences(below)
		}
	}
}
