package backend

import (
	"context"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// staticAtOnce is how many static roles the worker attends to side by side, so
// that a slow one delays nobody.
const staticAtOnce = 8

// staticDuty rotates the keys of static roles when their time has come.
func (b *Backend) staticDuty(storage logical.Storage) lifecycle.Duty {
	return lifecycle.Duty{
		Name:   "static role",
		AtOnce: staticAtOnce,
		Items: func(ctx context.Context) ([]lifecycle.EntryID, error) {
			return b.statics.items(ctx, store.Records{Storage: storage}, b.options.Clock.Now())
		},
		Attend: func(ctx context.Context, name lifecycle.EntryID) error {
			return b.attendStatic(ctx, storage, string(name))
		},
	}
}

// staticKeyDuty finishes what rotations of static roles left.
func (b *Backend) staticKeyDuty(storage logical.Storage) lifecycle.Duty {
	journal := keyJournal{storage: storage, prefix: staticJournal}
	return b.users.KeyDuty("static key", journal, func(ctx context.Context, intent lifecycle.KeyIntent) (lifecycle.KeyRotation, error) {
		a, err := b.accessThrough(ctx, storage, intent.Assume)
		if err != nil {
			return lifecycle.KeyRotation{}, err
		}
		return b.staticChange(a, intent.Role, nil), nil
	})
}

// attendStatic does what is due of one static role. One that is being written,
// rotated or deleted is left to whoever does that.
func (b *Backend) attendStatic(ctx context.Context, storage logical.Storage, name string) error {
	unlock := b.staticRoles.Try(name)
	if unlock == nil {
		return nil
	}
	defer unlock()
	records, now := store.Records{Storage: storage}, b.options.Clock.Now()
	r, err := b.statics.read(ctx, records, name, now)
	if err != nil || r.role == nil {
		return err
	}
	role, creds := r.role, r.creds
	if creds != nil && r.unscheduled(now) {
		creds.Expiration = nextStatic(role, b.lastRotation(creds))
		return records.PutStaticCreds(ctx, name, creds)
	}
	due := creds == nil || creds.Expiration != nil && !now.Before(*creds.Expiration)
	if !due && !previousOver(role, creds, now) {
		return nil
	}
	a, err := b.staticAccess(ctx, storage, role)
	if err != nil {
		return err
	}
	if due {
		return b.rotateStatic(ctx, a, role)
	}
	return b.retirePrevious(ctx, a, role)
}
