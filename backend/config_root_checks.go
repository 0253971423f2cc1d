package backend

import (
	"context"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// maxRetries keeps a request within its deadline.
const maxRetries = 100

func (b *Backend) checkConfigRoot(c *store.RootConfig, d *framework.FieldData) error {
	if err := checkKeyPair(c, d); err != nil {
		return err
	}
	for _, field := range sent(d, "region", "sts_region", "sts_fallback_regions") {
		if !store.RegionShape.MatchString(field.value) {
			return invalid("%s %q is not a region: it must be 1 to 40 of a-z, 0-9 and -, such as eu-west-1", field.name, field.value)
		}
	}
	for _, field := range sent(d, "iam_endpoint", "sts_endpoint", "sts_fallback_endpoints") {
		if err := awsclient.CheckEndpoint(field.value); err != nil {
			return invalid("%s %q %v", field.name, field.value, err)
		}
	}
	if len(c.STSFallbackEndpoints) != len(c.STSFallbackRegions) && anySent(d, "sts_fallback_endpoints", "sts_fallback_regions") {
		return invalid("sts_fallback_endpoints and sts_fallback_regions must be the same length: they have %d and %d elements; send both lists",
			len(c.STSFallbackEndpoints), len(c.STSFallbackRegions))
	}
	if anySent(d, "max_retries") && (c.MaxRetries < store.SDKRetries || c.MaxRetries > maxRetries) {
		return invalid("max_retries %d is out of range: -1 (the SDK's default) to %d", c.MaxRetries, maxRetries)
	}
	if c.MaxUsers < 0 {
		return invalid("max_users %d is negative: 0 stands for no limit", c.MaxUsers)
	}
	if err := b.mergeRotation(c, d); err != nil {
		return err
	}
	return b.checkTemplate(c, d)
}

func checkKeyPair(c *store.RootConfig, d *framework.FieldData) error {
	switch {
	case !anySent(d, "access_key", "secret_key"):
		return nil
	case c.AccessKey != "" && c.SecretKey == "":
		return invalid("secret_key is required with access_key: send both, or neither to use the server's own credentials")
	case c.AccessKey == "" && c.SecretKey != "":
		return invalid("access_key is required with secret_key: send both, or both empty to use the server's own credentials")
	}
	return nil
}

func (b *Backend) checkTemplate(c *store.RootConfig, d *framework.FieldData) error {
	if !anySent(d, "username_template") || c.UsernameTemplate == "" {
		return nil
	}
	names, err := naming.Parse(c.UsernameTemplate, b.options.Clock.Now)
	if err == nil {
		err = names.Validate()
	}
	if err != nil {
		return invalid("%v", err)
	}
	return nil
}

// sentValue is a non-empty value of a request; an empty one clears the field.
type sentValue struct{ name, value string }

func sent(d *framework.FieldData, fields ...string) (values []sentValue) {
	for _, field := range fields {
		v, _ := d.GetOk(field)
		switch v := v.(type) {
		case string:
			if v != "" {
				values = append(values, sentValue{field, v})
			}
		case []string:
			for _, element := range v {
				values = append(values, sentValue{field, element})
			}
		}
	}
	return values
}

func anySent(d *framework.FieldData, fields ...string) bool {
	for _, field := range fields {
		if _, ok := d.GetOk(field); ok {
			return true
		}
	}
	return false
}

// configRootWarnings tells what the request sets that will not do what its
// writer may expect.
func (b *Backend) configRootWarnings(c *store.RootConfig, d *framework.FieldData) []string {
	sent := func(fields ...string) bool { return anySent(d, fields...) }
	return warningsOf(diagnose.ConfigRules(c, b.options.Clock.Now, sent))
}

func warningsOf(found []diagnose.Finding) (warnings []string) {
	for _, f := range found {
		warnings = append(warnings, f.String())
	}
	return warnings
}

// ruleWarnings tells what is wrong with a role, as far as that shows without AWS.
func (b *Backend) ruleWarnings(ctx context.Context, storage logical.Storage, name string, role *store.Role) []string {
	config, _, err := store.Records{Storage: storage}.RootConfig(ctx)
	if err != nil {
		return nil // the role is written; its rules are a courtesy
	}
	view := diagnose.View{Role: diagnose.Role{Name: name, Role: role}, Partition: diagnose.PartitionOf(config), MaxTTL: b.System().MaxLeaseTTL()}
	if config.OwnerTags {
		view.OwnerTags = diagnose.OwnerTags()
	}
	return warningsOf(diagnose.RoleRules(view))
}
