package diagnose

import (
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"
)

// configRules are the checks of config/root that need no AWS. Each is of some
// fields: a write is told of what it sends.
var configRules = []struct {
	fields []string
	find   func(c *store.RootConfig, now func() time.Time) []Finding
}{
	{[]string{"region"}, func(c *store.RootConfig, _ func() time.Time) []Finding { return regionRules("region", c.Region) }},
	{[]string{"sts_region"}, func(c *store.RootConfig, _ func() time.Time) []Finding { return regionRules("sts_region", c.STSRegion) }},
	{[]string{"sts_fallback_regions"}, func(c *store.RootConfig, _ func() time.Time) []Finding {
		return regionRules("sts_fallback_regions", c.STSFallbackRegions...)
	}},
	{[]string{"iam_endpoint"}, func(c *store.RootConfig, _ func() time.Time) []Finding {
		return endpointRules("iam_endpoint", c.IAMEndpoint)
	}},
	{[]string{"sts_endpoint"}, func(c *store.RootConfig, _ func() time.Time) []Finding {
		return endpointRules("sts_endpoint", c.STSEndpoint)
	}},
	{[]string{"sts_fallback_endpoints"}, func(c *store.RootConfig, _ func() time.Time) []Finding {
		return endpointRules("sts_fallback_endpoints", c.STSFallbackEndpoints...)
	}},
	{[]string{"role_arn"}, idleRoleRule},
	{[]string{"access_key"}, temporaryKeyRule},
	{[]string{"rotation_schedule", "rotation_window", "rotation_period", "disable_automated_rotation"}, idleRotationRule},
	{[]string{"iam_owner_tags", "username_template"}, sharedNamesRule},
	{[]string{"username_template"}, templateRules},
}

// ConfigRules lists what of config/root will not do what its writer may expect, of
// the rules of which sent holds for a field.
func ConfigRules(c *store.RootConfig, now func() time.Time, sent func(fields ...string) bool) (all []Finding) {
	for _, rule := range configRules {
		if sent(rule.fields...) {
			all = append(all, rule.find(c, now)...)
		}
	}
	return all
}

func regionRules(field string, regions ...string) (found []Finding) {
	for _, region := range regions {
		if region != "" && !awsclient.KnownRegion(region) {
			found = append(found, Finding{
				Severity: Warning, Remedy: "check it, unless the server is not AWS's own",
				Problem: fmt.Sprintf("%s %q is no region of AWS that this version knows; requests are signed for it as it is", field, region),
			})
		}
	}
	return found
}

func endpointRules(field string, endpoints ...string) (found []Finding) {
	for _, endpoint := range endpoints {
		if endpoint != "" && awsclient.Insecure(endpoint) {
			found = append(found, Finding{
				Severity: Warning, Remedy: "use https://",
				Problem: fmt.Sprintf("%s %q is not encrypted: credentials cross the network in the clear", field, endpoint),
			})
		}
	}
	return found
}

func idleRoleRule(c *store.RootConfig, _ func() time.Time) []Finding {
	if c.RoleARN == "" || c.IdentityTokenAudience != "" {
		return nil
	}
	return []Finding{{Severity: Warning, Problem: "role_arn has no effect without identity_token_audience", Remedy: "write that too, or clear role_arn"}}
}

func temporaryKeyRule(c *store.RootConfig, _ func() time.Time) []Finding {
	if !strings.HasPrefix(c.AccessKey, "ASIA") {
		return nil
	}
	return []Finding{{
		Severity: Error, Problem: "access_key is a temporary one (ASIA…), and config/root has no field for its session token: AWS will refuse it",
		Remedy: "use an IAM user's key, or the server's own credentials",
	}}
}

func idleRotationRule(c *store.RootConfig, _ func() time.Time) []Finding {
	if !c.Scheduled() || c.AccessKey != "" {
		return nil
	}
	return []Finding{{
		Severity: Warning, Problem: "rotation has no effect: config/root holds no access_key, so there is no key to rotate",
		Remedy: "write access_key and secret_key, or clear rotation_schedule and rotation_period",
	}}
}

func sharedNamesRule(c *store.RootConfig, now func() time.Time) []Finding {
	names, err := naming.Parse(TemplateOf(c), now)
	if !c.OwnerTags || err != nil || names.WorstCaseBits() >= naming.UniqueBits {
		return nil
	}
	return []Finding{{
		Severity: Warning, Problem: "iam_owner_tags: a name of username_template may be somebody else's; tidy then goes by the tags alone",
		Remedy: "write a username_template like the default",
	}}
}

func templateRules(c *store.RootConfig, now func() time.Time) (found []Finding) {
	names, err := naming.Parse(TemplateOf(c), now)
	if err == nil {
		err = names.Validate()
	}
	if err != nil {
		return []Finding{{Severity: Error, Problem: fmt.Sprintf("username_template makes no names: %v", err), Remedy: "write one that does, or an empty one for the default"}}
	}
	for _, warning := range names.Warnings() {
		found = append(found, Finding{Severity: Warning, Problem: warning, Remedy: "change username_template; an empty one is the default"})
	}
	return found
}

// TemplateOf is the username_template in force.
func TemplateOf(c *store.RootConfig) string {
	if c.UsernameTemplate == "" {
		return naming.Default
	}
	return c.UsernameTemplate
}
