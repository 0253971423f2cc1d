package backend

import (
	"fmt"
	"strings"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
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
func (b *Backend) configRootWarnings(c *store.RootConfig, d *framework.FieldData) (warnings []string) {
	for _, field := range sent(d, "region", "sts_region", "sts_fallback_regions") {
		if !awsclient.KnownRegion(field.value) {
			warnings = append(warnings, fmt.Sprintf("%s %q is no region of AWS that this version knows; requests are signed for it as it is", field.name, field.value))
		}
	}
	for _, field := range sent(d, "iam_endpoint", "sts_endpoint", "sts_fallback_endpoints") {
		if awsclient.Insecure(field.value) {
			warnings = append(warnings, fmt.Sprintf("%s %q is not encrypted: credentials cross the network in the clear", field.name, field.value))
		}
	}
	if anySent(d, "role_arn") && c.RoleARN != "" && c.IdentityTokenAudience == "" {
		warnings = append(warnings, "role_arn has no effect without identity_token_audience")
	}
	if anySent(d, "access_key") && strings.HasPrefix(c.AccessKey, "ASIA") {
		warnings = append(warnings, "access_key is a temporary one (ASIA…), and config/root has no field for its session token: AWS will refuse it. Use an IAM user's key, or the server's own credentials")
	}
	if anySent(d, rotationFields...) && c.Scheduled() && c.AccessKey == "" {
		warnings = append(warnings, "rotation has no effect: config/root holds no access_key, so there is no key to rotate")
	}
	if anySent(d, "iam_owner_tags", "username_template") && c.OwnerTags && !b.namesUnique(c) {
		warnings = append(warnings, "iam_owner_tags: a name of username_template may be somebody else's; tidy then goes by the tags alone")
	}
	return append(warnings, b.templateWarnings(c, d)...)
}

func (b *Backend) templateWarnings(c *store.RootConfig, d *framework.FieldData) []string {
	if !anySent(d, "username_template") || c.UsernameTemplate == "" {
		return nil
	}
	names, err := naming.Parse(c.UsernameTemplate, b.options.Clock.Now)
	if err != nil {
		return nil
	}
	return names.Warnings()
}
