package backend

import (
	"maps"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// fields are those of a request or an answer, by name.
type fields = map[string]*framework.FieldSchema

// apiRow is what clients are generated from, for one operation: its id, which is
// "aws", verb and suffix, and what it answers. Ids of paths that Vault's built-in
// engine has are the built-in engine's: generated clients call by them.
type apiRow struct {
	verb, suffix string // "": of the operation and the path
	answers      fields // of status 200; nil: 204, or 200 with warnings only
}

// apiTable is the rows, by the patterns of the paths. A path without a row is a
// mistake that TestEveryOperationIsDescribed finds.
func apiTable() map[string]map[logical.Operation]apiRow {
	creds, parameters := "credentials|sts-credentials", "credentials-with-parameters|sts-credentials-with-parameters"
	return map[string]map[logical.Operation]apiRow{
		"config/root": {
			logical.ReadOperation:   {"read", "root-iam-credentials-configuration", rootAnswer()},
			logical.CreateOperation: {"configure", "root-iam-credentials", nil},
			logical.UpdateOperation: {"configure", "root-iam-credentials", nil},
		},
		"config/rotate-root": {logical.UpdateOperation: {"rotate", "root-iam-credentials", rotateRootAnswer()}},
		"config/iam-policy":  {logical.ReadOperation: {"read", "iam-policy", iamPolicyAnswer()}},
		"config/lease": {
			logical.ReadOperation:   {"read", "lease-configuration", leaseAnswer()},
			logical.UpdateOperation: {"configure", "lease", nil},
		},
		"roles/?$": {logical.ListOperation: {"list", "roles", listAnswer()}},
		"roles/" + nameWithAt: {
			logical.ReadOperation:   {"read", "role", roleAnswer()},
			logical.UpdateOperation: {"write", "role", nil},
			logical.DeleteOperation: {"delete", "role", nil},
		},
		"(creds|sts)/" + nameWithAt: {
			logical.ReadOperation:   {"generate", creds, credsAnswer()},
			logical.UpdateOperation: {"generate", parameters, credsAnswer()},
		},
		"static-roles/?$": {logical.ListOperation: {answers: listAnswer()}},
		"static-roles/" + nameWithAt: {
			logical.ReadOperation:   {answers: staticRoleAnswer()},
			logical.UpdateOperation: {answers: staticRoleAnswer()},
			logical.DeleteOperation: {},
		},
		"static-creds/" + nameWithAt: {logical.ReadOperation: {answers: staticCredsAnswer()}},
		"rotate-role/" + nameWithAt:  {logical.UpdateOperation: {"rotate", "static-role", nil}},
		"users/?$":                   {logical.ListOperation: {"list", "users", usersAnswer()}},
		"users/" + anyName:           {logical.ReadOperation: {"read", "user", userAnswer()}},
		"lookup":                     {logical.UpdateOperation: {"look-up", "access-key", userAnswer()}},
		"tidy":                       {logical.UpdateOperation: {"start", "tidy", nil}},
		"tidy-status":                {logical.ReadOperation: {"read", "tidy-status", tidyAnswer()}},
		"tidy-cancel":                {logical.UpdateOperation: {"cancel", "tidy", nil}},
		"diagnose":                   {logical.ReadOperation: {answers: diagnoseAnswer()}},
		"metrics":                    {logical.ReadOperation: {"read", "metrics", metricsAnswer()}},
	}
}

var (
	nameWithAt = framework.GenericNameWithAtRegex("name")
	anyName    = framework.MatchAllRegex("name")
)

// operationPrefix begins all ids, under whatever name the plugin is registered.
const operationPrefix = "aws"

// described completes paths with what is the same for all: ids and answers by the
// table, labels of fields, and descriptions that fit a terminal.
func described(paths []*framework.Path) []*framework.Path {
	table := apiTable()
	for _, p := range paths {
		p.DisplayAttrs = &framework.DisplayAttributes{OperationPrefix: operationPrefix}
		for name, field := range p.Fields {
			field.Description = wrapped(field.Description, lineLength(field))
			label(name, field)
		}
		for kind, handler := range p.Operations {
			describe(handler.(*framework.PathOperation), table[p.Pattern][kind], kind)
		}
	}
	return paths
}

func describe(op *framework.PathOperation, row apiRow, kind logical.Operation) {
	op.DisplayAttrs = &framework.DisplayAttributes{OperationPrefix: operationPrefix, OperationVerb: row.verb, OperationSuffix: row.suffix}
	done := []framework.Response{{Description: "Done."}}
	switch {
	case row.answers != nil:
		op.Responses = map[int][]framework.Response{http.StatusOK: {{Description: "OK", Fields: row.answers}}}
	case kind == logical.DeleteOperation:
		op.Responses = map[int][]framework.Response{http.StatusNoContent: done}
	default:
		op.Responses = map[int][]framework.Response{http.StatusNoContent: done, http.StatusOK: {{Description: "Done, with warnings."}}}
	}
	for name, field := range row.answers {
		label(name, field)
	}
}

// labels are the names of fields where the web UI would not make good ones of the
// fields' own.
var labels = map[string]string{
	"access_key": "Access key", "secret_key": "Secret key", "iam_endpoint": "IAM endpoint", "sts_endpoint": "STS endpoint",
	"sts_region": "STS region", "sts_fallback_endpoints": "STS fallback endpoints", "sts_fallback_regions": "STS fallback regions",
	"identity_token_ttl": "Identity token TTL", "role_arn": "Role ARN", "iam_owner_tags": "Tag users with their owner",
	"allowed_policy_arns": "Allowed policy ARNs", "allowed_role_arns": "Allowed role ARNs",
	"required_permissions_boundary_arn": "Required permissions boundary ARN",
	"policy_arns":                       "Policy ARNs", "role_arns": "Role ARNs", "iam_groups": "IAM groups", "iam_tags": "IAM tags", "external_id": "External ID",
	"default_sts_ttl": "Default STS TTL", "max_sts_ttl": "Max STS TTL", "permissions_boundary_arn": "Permissions boundary ARN",
	"mfa_serial_number": "MFA device serial number", "mfa_code": "MFA code", "ttl": "TTL", "arn": "ARN",
	"assume_role_arn": "ARN of the role to assume", "assume_role_session_name": "Session name of that role",
}

// secretFields are masked by the web UI.
var secretFields = map[string]bool{"secret_key": true, "session_token": true, "security_token": true}

// formGroups are the groups in which the web UI shows fields of config/root that
// the built-in engine groups.
var formGroups = map[string]string{
	"identity_token_audience": "default", "identity_token_ttl": "default", "rotation_schedule": "default",
	"rotation_window": "default", "rotation_period": "default", "disable_automated_rotation": "default",
}

// editors are the form elements of fields that are more than a line.
var editors = map[string]string{"policy_document": "textarea"}

func label(name string, field *framework.FieldSchema) {
	attrs := &framework.DisplayAttributes{
		Name: labels[name], Sensitive: secretFields[name], Group: formGroups[name], EditType: editors[name], Identifier: name == "name",
	}
	if *attrs != (framework.DisplayAttributes{}) {
		field.DisplayAttrs = attrs
	}
}

// lineLength is how long the lines of a field's description may be: path-help
// indents them by 8 on a terminal of 80 columns, and begins that of a deprecated
// one with a word of its own.
func lineLength(field *framework.FieldSchema) int {
	if field.Deprecated {
		return 72 - len("(DEPRECATED) ")
	}
	return 72
}

// wrapped breaks a text into lines of at most so many characters.
func wrapped(text string, limit int) string {
	var out strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case length == 0:
			length = n
		case length+1+n > limit:
			out.WriteByte('\n')
			length = n
		default:
			out.WriteByte(' ')
			length += 1 + n
		}
		out.WriteString(word)
	}
	return out.String()
}

// echoed are the fields of a request as a read shows them again: durations as
// seconds, and without those that it does not show. All of them are always there.
func echoed(request fields, but ...string) fields {
	shown := maps.Clone(request)
	for _, name := range but {
		delete(shown, name)
	}
	for name, field := range shown {
		f := &framework.FieldSchema{Type: field.Type, Description: field.Description, Required: true}
		if field.Type == framework.TypeDurationSecond {
			f.Type, f.Description = framework.TypeInt, field.Description+" In seconds."
		}
		shown[name] = f
	}
	return shown
}

// joined are the fields of several sets; the later ones win.
func joined(sets ...fields) fields {
	all := make(fields)
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}
