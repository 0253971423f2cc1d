package backend_test

import (
	"net/http"
	"strings"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func iamPolicyScenarios() []scenario {
	return []scenario{
		{"iam-policy: refused where it would allow more than is meant", policyRefused},
		{"iam-policy: keeps the root user to its own users", policyNarrow},
		{"iam-policy: for an ARN, without asking AWS, in its partition", func(m *mount) {
			m.mustWrite("roles/x", plainUser())
			before := len(m.sim.Journal())
			got := m.mustRead("config/iam-policy", map[string]any{"arn": "arn:aws-us-gov:iam::210987654321:user/ops/engine"})
			text := got.data["policy"].(string)
			if !strings.Contains(text, `"arn:aws-us-gov:iam::210987654321:user/vault-*"`) || strings.Contains(text, "arn:aws:") {
				m.Errorf("policy = %s", text)
			}
			if calls := m.calls(before); len(calls) > 0 {
				m.Errorf("AWS was asked: %v", calls)
			}
		}},
		{"iam-policy: without credentials it says what to send", func(m *mount) {
			m.configured()
			m.mustWrite("config/root", map[string]any{"access_key": "AKIAABSENTABSENTABSE", "secret_key": "x"})
			m.wantError(m.read("config/iam-policy"), http.StatusBadRequest, "InvalidClientTokenId", "send arn=")
			m.wantError(m.read("config/iam-policy", map[string]any{"arn": "nobody"}), http.StatusBadRequest, "arn: ")
			m.wantError(m.read("config/iam-policy", map[string]any{"arn": "arn:aws:s3:::bucket"}), http.StatusBadRequest, "not that of an IAM user or role")
		}},
		{"iam-policy: nothing configured, account's root user, federation: warnings", func(m *mount) {
			m.mustWrite("config/root", m.rootConfig(m.sim.RootKey(m.admin.Account)))
			got := m.mustRead("config/iam-policy")
			m.wantWarning(got.warnings, "nothing is configured")
			m.wantWarning(got.warnings, "root user, whom no policy limits")
			m.mustWrite("roles/token", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.wantWarning(m.mustRead("config/iam-policy").warnings, "beside this policy", "token")
		}},
		{"iam-policy: with what diagnose looks at", func(m *mount) {
			m.configured()
			m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
			for query, want := range map[string]bool{"true": true, "false": false} {
				text := m.mustRead("config/iam-policy", map[string]any{"diagnose": query}).data["policy"].(string)
				if strings.Contains(text, "iam:SimulatePrincipalPolicy") != want || strings.Contains(text, "iam:GetPolicy") != want {
					m.Errorf("diagnose=%s: %s", query, text)
				}
			}
		}},
	}
}

func policyRefused(m *mount) {
	account := "arn:aws:iam::" + m.admin.Account + ":"
	for _, tc := range []struct {
		path  string
		write map[string]any
		words []string
	}{
		{"roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": account + "role/*"}, []string{"roles/x", "role_arns", "pattern"}},
		{"roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": "deploy"}, []string{"roles/x", "not an ARN"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": account + "policy/?"}, []string{"roles/x", "policy_arns"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": account + "policy/${aws:username}"}, []string{"policy_arns"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "user_path": "/*/"}, []string{"user_path"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "iam_groups": "*"}, []string{"iam_groups"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "iam_groups": "dev/ops"}, []string{"iam_groups"}},
		{"roles/x", map[string]any{"credential_type": "iam_user", "permissions_boundary_arn": account + "policy/*"}, []string{"permissions_boundary_arn"}},
		{"config/root", map[string]any{"username_template": "{{.DisplayName}}-{{random 20}}"}, []string{"username_template", "IAM users"}},
	} {
		m.configured()
		m.mustWrite("config/root", map[string]any{"username_template": ""})
		m.delete("roles/x")
		m.mustWrite("roles/y", plainUser())
		m.mustRead("config/iam-policy")
		m.mustWrite(tc.path, tc.write)
		m.wantError(m.read("config/iam-policy"), http.StatusBadRequest, append(tc.words, "more than is meant")...)
	}
}

// policyNarrow tries with the printed policy what nobody configured.
func policyNarrow(m *mount) {
	m.configured()
	bound := m.sim.PutPolicy(m.admin.Account, "bound", everything)
	app := m.sim.PutPolicy(m.admin.Account, "app", ec2Policy)
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": app, "permissions_boundary_arn": bound})
	text := m.mustRead("config/iam-policy", map[string]any{"arn": "arn:aws:iam::" + m.admin.Account + ":user/engine"}).data["policy"].(string)
	key := m.sim.PutUser(m.admin.Account, "engine", nothingAtAll)
	m.sim.PutPolicy(m.admin.Account, "engine", text)
	_, err := m.sim.Interfere(awssim.Interference{User: "engine", Act: awssim.ActAttachPolicy, Value: "arn:aws:iam::" + m.admin.Account + ":policy/engine"})
	m.must(err)
	client := iam.NewFromConfig(simtest.Config(m.endpoint, key))
	create := func(name string, boundary *string) error {
		_, err := client.CreateUser(m.Context(), &iam.CreateUserInput{UserName: &name, PermissionsBoundary: boundary})
		return err
	}
	attach := func(user, arn string) error {
		_, err := client.AttachUserPolicy(m.Context(), &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn})
		return err
	}
	for _, tc := range []struct {
		name string
		err  error
		may  bool
	}{
		{"a user of the mount's", create("vault-1", &bound), true},
		{"its policy", attach("vault-1", app), true},
		{"without a boundary", create("vault-2", nil), false},
		{"with another boundary", create("vault-2", &app), false},
		{"another name", create("boss", &bound), false},
		{"another policy", attach("vault-1", "arn:aws:iam::aws:policy/AdministratorAccess"), false},
		{"a policy for itself", attach("engine", app), false},
		{"an inline policy", func() error {
			_, err := client.PutUserPolicy(m.Context(), &iam.PutUserPolicyInput{UserName: aws.String("vault-1"), PolicyName: aws.String("p"), PolicyDocument: aws.String(everything)})
			return err
		}(), false},
		{"a key of somebody else's", func() error {
			_, err := client.CreateAccessKey(m.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("admin")})
			return err
		}(), false},
	} {
		if (tc.err == nil) != tc.may {
			m.Errorf("%s: %v, want it to be allowed: %v", tc.name, tc.err, tc.may)
		}
	}
}
