package backend

import (
	"context"
	"slices"

	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// diagnosed is what diagnose looks at: the mount, and one role or as many as
// there is time for.
func (b *Backend) diagnosed(ctx context.Context, storage logical.Storage, role string) (m diagnose.Mount, err error) {
	records := store.Records{Storage: storage}
	if m.Config, m.Written, err = records.RootConfig(ctx); err != nil {
		return m, err
	}
	m.Now, m.MaxTTL = b.options.Clock.Now(), b.System().MaxLeaseTTL()
	if err := b.addRoles(ctx, records, &m, role); err != nil {
		return m, err
	}
	if err := b.addStatics(ctx, records, &m, role); err != nil {
		return m, err
	}
	if role != "" && len(m.Roles)+len(m.Statics) == 0 {
		return m, invalid("role: there is no role and no static role %q", role)
	}
	m.Permissions = b.diagnosedPermissions(&m)
	return m, b.addState(ctx, records, &m)
}

// chosen is the names to look at, and how many are left out.
func chosen(names []string, only string) (some []string, left int) {
	if only != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name != only })
	}
	slices.Sort(names)
	some = names[:min(len(names), diagnose.MaxRoles)]
	return some, len(names) - len(some)
}

func (b *Backend) addRoles(ctx context.Context, records store.Records, m *diagnose.Mount, only string) error {
	names, err := records.RoleNames(ctx)
	if err != nil {
		return err
	}
	names, m.RolesLeft = chosen(names, only)
	for _, name := range names {
		role, err := records.Role(ctx, name)
		if err != nil {
			return err
		}
		if role != nil {
			m.Roles = append(m.Roles, diagnose.Role{Name: name, Role: role})
		}
	}
	return nil
}

func (b *Backend) addStatics(ctx context.Context, records store.Records, m *diagnose.Mount, only string) error {
	names, err := records.StaticRoleNames(ctx)
	if err != nil {
		return err
	}
	names, m.StaticsLeft = chosen(names, only)
	for _, name := range names {
		role, err := records.StaticRole(ctx, name)
		if err != nil {
			return err
		}
		creds, err := records.StaticCreds(ctx, name)
		if err != nil {
			return err
		}
		if role == nil {
			continue
		}
		shown := diagnose.StaticRole{Name: name, StaticRole: role}
		if creds != nil {
			shown.AccessKey, shown.Expiration, shown.LastError = creds.AccessKey, creds.Expiration, creds.LastError
		}
		m.Statics = append(m.Statics, shown)
	}
	return nil
}

// diagnosedPermissions is what the needs of those roles follow from; nil if the
// template makes no names, which is told elsewhere.
func (b *Backend) diagnosedPermissions(m *diagnose.Mount) *permissions.Mount {
	needs := &permissions.Mount{Config: m.Config, Roles: map[string]*store.Role{}, Static: map[string]*store.StaticRole{}}
	var names []string
	for _, role := range m.Roles {
		needs.Roles[role.Name] = role.Role
		names = append(names, role.Name)
	}
	for _, role := range m.Statics {
		needs.Static[role.Name] = role.StaticRole
	}
	if _, err := naming.Parse(diagnose.TemplateOf(m.Config), b.options.Clock.Now); err != nil {
		return nil
	}
	if err := b.addNames(needs, names); err != nil {
		return nil
	}
	return needs
}

// addState is how the mount's own work stands.
func (b *Backend) addState(ctx context.Context, records store.Records, m *diagnose.Mount) error {
	rotation, err := records.RotationState(ctx)
	if err != nil {
		return err
	}
	state, err := b.users.State(ctx)
	if err != nil {
		return err
	}
	owed, err := b.users.Owed(ctx)
	if err != nil {
		return err
	}
	m.State = diagnose.State{
		RotationError: rotation.LastError, Draining: state.Draining, Restored: state.Restored,
		Held: owed.Held, Condemned: owed.Condemned,
	}
	if !rotation.ByVault {
		m.State.NextRotation = nextRotation(m.Config, rotation)
	}
	return nil
}
