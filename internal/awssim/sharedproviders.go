package awssim

import "strings"

const cognito = "cognito-identity.amazonaws.com"

// sharedProviders are OIDC providers that many customers share, and the
// condition key that a trust policy must narrow for each.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
var sharedProviders = map[string]string{
	"token.actions.githubusercontent.com":                "sub",
	"vstoken.actions.githubusercontent.com":              "sub",
	"oidc-configuration.audit-log.githubusercontent.com": "sub",
	"gitlab.com":              "sub",
	"agent.buildkite.com":     "sub",
	"app.terraform.io":        "sub",
	"oidc.codefresh.io":       "sub",
	"studio.datachain.ai/api": "sub",
	"scalr.io":                "sub",
	"tokens.cloud.shisho.dev": "sub",
	"proidc.upbound.io":       "sub",
	"api.pulumi.com/oidc":     "aud",
	"sandboxes.cloud":         "aud",
	"oidc.vercel.com":         "aud",
}

// checkShared refuses a trust policy that lets in every tenant of a shared
// provider.
func checkShared(st *statement) error {
	for _, name := range st.principals["Federated"] {
		if name == cognito && !st.narrows(cognito+":aud") {
			return malformedPolicy("A condition block must be present for the Cognito provider")
		}
		_, provider, _ := strings.Cut(name, ":oidc-provider/")
		if claim := sharedProviders[provider]; claim != "" && !st.narrows(provider+":"+claim) {
			return malformedPolicy("The trust policy trusts shared OpenID Connect provider %q without a Condition scoping %q to your own tenant.",
				provider, provider+":"+claim)
		}
	}
	return nil
}

// narrows reports whether a condition holds a key to some values.
func (st *statement) narrows(key string) bool {
	for _, c := range st.conditions {
		operator := c.operator[strings.Index(c.operator, ":")+1:]
		operator = strings.TrimSuffix(operator, "IfExists")
		if !strings.EqualFold(c.key, key) || operator != "StringEquals" && operator != "StringLike" && operator != "StringEqualsIgnoreCase" {
			continue
		}
		for _, value := range c.values {
			if strings.Trim(value, "*?") != "" {
				return true
			}
		}
	}
	return false
}
