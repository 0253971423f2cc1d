package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/go-secure-stdlib/parseutil"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathConfigLease serves config/lease: how long IAM user credentials live. STS
// credentials ignore it; AWS fixes their end when it issues them.
func (b *Backend) pathConfigLease() *framework.Path {
	return &framework.Path{
		Pattern: "config/lease",
		Fields: map[string]*framework.FieldSchema{
			"lease": {
				Type:        framework.TypeString,
				Description: `Lease of new IAM user credentials, such as "30m"; a bare number counts seconds. Required.`,
			},
			"lease_max": {
				Type:        framework.TypeString,
				Description: `Longest life that renewals can reach, in the same form. Required.`,
			},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   operation(b.readConfigLease, "Read the lease settings."),
			logical.UpdateOperation: operation(b.writeConfigLease, "Replace the lease settings."),
		},
		HelpSynopsis:    "Configure the lease of IAM user credentials.",
		HelpDescription: help("config_lease.txt"),
	}
}

// readConfigLease handles a read of config/lease.
func (b *Backend) readConfigLease(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	lease, found, err := store.Records{Storage: req.Storage}.Lease(ctx)
	if err != nil || !found {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"lease":     lease.Lease.String(),
		"lease_max": lease.LeaseMax.String(),
	}}, nil
}

// writeConfigLease handles an update of config/lease.
func (b *Backend) writeConfigLease(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	lease, err := requiredDuration(d, "lease")
	if err != nil {
		return nil, err
	}
	leaseMax, err := requiredDuration(d, "lease_max")
	if err != nil {
		return nil, err
	}
	if err := (store.Records{Storage: req.Storage}).PutLease(ctx, store.Lease{Lease: lease, LeaseMax: leaseMax}); err != nil {
		return nil, err
	}
	if leaseMax > 0 && lease > leaseMax {
		return warn([]string{"lease is more than lease_max: credentials live for lease_max only"}), nil
	}
	return nil, nil
}

func requiredDuration(d *framework.FieldData, field string) (time.Duration, error) {
	text := d.Get(field).(string)
	if text == "" {
		return 0, invalid("'%s' is a required parameter: a duration such as 30m, or seconds", field)
	}
	duration, err := parseutil.ParseDurationSecond(text)
	if err != nil {
		return 0, invalid("Invalid %s: %q is not a duration such as 30m, 12h or a number of seconds", field, text)
	}
	if duration < 0 {
		return 0, invalid("Invalid %s: %q is negative; 0 leaves it to the mount", field, text)
	}
	return duration, nil
}
