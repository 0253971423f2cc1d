package main

// secrecy are mutations of secrets in logs, answers and errors, of raw answers, and of injection.
var secrecy = []mutation{
	{
		name: "secrets: fmt prints them",
		file: secret,
		old:  "func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }",
		new:  "func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, string(s)) }",
		run:  "TestSecretNeverPrints",
	},
	{
		name: "secrets: JSON shows them",
		file: secret,
		old:  "func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }",
		new:  "func (s Secret) MarshalText() ([]byte, error) { return []byte(s), nil }",
		run:  "TestSecretNeverPrints",
	},
	{
		name:  "policy: plain text comes alive as a variable when merged",
		file:  "backend/policy/merge.go",
		old:   "rewrite = escapeVariables",
		new:   "_ = escapeVariables",
		run:   "FuzzMerge",
		tests: "internal/awssim",
	},
	{
		name:  "secrets: what AWS quotes of a signature is shown",
		file:  "backend/awserr/awserr.go",
		old:   "case \"SignatureDoesNotMatch\", \"InvalidSignatureException\", \"IncompleteSignature\":",
		new:   "case \"none\":",
		run:   "TestMount/secrets:_AWS_quotes",
		tests: "backend",
	},
	{
		name: "secrets: the lease remembers the secret key",
		file: "backend/secret_access_keys.go",
		old:  "\t\t\"access_key_id\": user.Key.ID,\n",
		new:  "\t\t\"access_key_id\": user.Key.ID,\n\t\t\"secret\":        user.Key.Secret.Reveal(),\n",
		run:  "TestMount/secrets:_issued_keys",
	},
	{
		name: "secrets: a refused MFA code is repeated",
		file: "backend/credential_session.go",
		old:  "invalid(\"mfa_code is not six digits: send those that the MFA device shows\")",
		new:  "invalid(\"mfa_code %q is not six digits\", spec.MFACode)",
		run:  "TestMount/secrets:_an_MFA_code",
	},
	{
		name: "format: a raw answer keeps its lease",
		file: "backend/creds_format.go",
		old:  "return &logical.Response{Data: map[string]any{",
		new:  "return &logical.Response{Secret: resp.Secret, Data: map[string]any{",
		run:  "TestMount/format",
	},
	{
		name: "format: IAM users are given out raw",
		file: "backend/creds_format.go",
		old:  "if o.Get(\"format\") == \"\" ||",
		new:  "if true ||",
		run:  "TestMount/format",
	},
	{
		name: "format: AWS may take longer than an SDK waits",
		file: "backend/creds_format.go",
		old:  "context.WithTimeout(ctx, containerDeadline)",
		new:  "context.WithCancel(ctx)",
		run:  "TestMount/format:_what_AWS",
	},
	{
		name: "injection: a slash is part of a role's name",
		file: "backend/path_roles.go",
		old:  "\"roles/\" + framework.GenericNameWithAtRegex(\"name\")",
		new:  "\"roles/(?P<name>.+)\"",
		run:  "TestMount/injection:_a_role's_name",
	},
}
