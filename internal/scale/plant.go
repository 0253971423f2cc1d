// Package scale measures a mount with a stress figure's worth of roles, static
// roles and records of users. [Plant] fills a mount's storage, of whatever kind;
// [Measure] plants it in a real Vault server and reports what the plugin costs.
package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// Size is how much is planted.
type Size struct {
	Roles       int
	StaticRoles int
	Users       int // records of issued users
}

// Stress is the figure that the engine has to bear. An AWS account holds 5,000
// users.
var Stress = Size{Roles: 10_000, StaticRoles: 10_000, Users: 100_000}

// policy is a policy document of an ordinary length.
const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"}]}`

// Names of what is planted, by number.
func RoleName(i int) string       { return fmt.Sprintf("role-%05d", i) }
func StaticRoleName(i int) string { return fmt.Sprintf("static-%05d", i) }
func UserName(i int) string {
	return fmt.Sprintf("vault-token-role-%05d-%d-%020d", i%1000, 1700000000+i, i)
}

// plantedAtOnce is how many records are written side by side, so that a storage
// that syncs takes many with one sync.
const plantedAtOnce = 64

// Plant writes size's worth of records, as the engine itself would have. The users
// are of the first thousand roles; nothing of it is due for a day after now.
func Plant(ctx context.Context, storage logical.Storage, size Size, now time.Time) error {
	p := planting{records: store.Records{Storage: storage}, now: now}
	for _, kind := range []struct {
		count int
		plant func(context.Context, int) error
	}{{size.Roles, p.role}, {size.StaticRoles, p.staticRole}, {size.Users, p.user}} {
		if err := each(ctx, kind.count, kind.plant); err != nil {
			return err
		}
	}
	return nil
}

// each calls do for 0 to count-1, side by side, until one fails.
func each(ctx context.Context, count int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for first := range min(plantedAtOnce, count) {
		wg.Go(func() {
			for i := first; i < count && ctx.Err() == nil; i += plantedAtOnce {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

type planting struct {
	records store.Records
	now     time.Time
}

func (p planting) role(ctx context.Context, i int) error {
	return p.records.PutRole(ctx, RoleName(i), &store.Role{
		CredentialTypes: []store.CredentialType{store.IAMUser}, PolicyDocument: policy,
		PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, UserPath: "/vault/",
	})
}

func (p planting) staticRole(ctx context.Context, i int) error {
	role := &store.StaticRole{
		Name: StaticRoleName(i), ID: fmt.Sprintf("AIDA%016d", i), Username: fmt.Sprintf("service-%05d", i),
		RotationPeriod: 30 * 24 * time.Hour,
	}
	if err := p.records.PutStaticRole(ctx, role); err != nil {
		return err
	}
	next := p.now.Add(24*time.Hour + time.Duration(i)*time.Minute).UTC()
	return p.records.PutStaticCreds(ctx, role.Name, &store.StaticCreds{
		AccessKey: fmt.Sprintf("AKIA1%015d", i), SecretKey: fmt.Sprintf("%040d", i), Expiration: &next, LastRotation: p.now.UTC(),
	})
}

func (p planting) user(ctx context.Context, i int) error {
	name := UserName(i)
	entry, err := logical.StorageEntryJSON("users/"+name, lifecycle.UserRecord{
		UserName: name, State: lifecycle.Issued, NameUnique: true, Account: "123456789012",
		Bearer:    lifecycle.Bearer{Role: RoleName(i % 1000), EntityID: fmt.Sprintf("8a3f%032d", i%500), DisplayName: "token", RequestID: fmt.Sprintf("%036d", i)},
		AccessKey: fmt.Sprintf("AKIA0%015d", i), PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, Policies: []string{RoleName(i % 1000)},
		Issued: p.now.UTC(), Deadline: p.now.Add(24*time.Hour + time.Duration(i)*time.Second).UTC(),
	})
	if err != nil {
		return err
	}
	return p.records.Storage.Put(ctx, entry)
}
