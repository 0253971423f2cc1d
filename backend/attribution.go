package backend

import (
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// sessionName is the name of an assumed role's session: by the role's template, or
// as the request asks, else by username_template.
func (b *Backend) sessionName(o *order) (string, error) {
	requested := o.Get("role_session_name").(string)
	switch {
	case o.role.RoleSessionNameTemplate != "" && requested != "":
		return "", invalid("role_session_name cannot be sent: role %q names its sessions by role_session_name_template; leave it out", o.roleName)
	case o.role.RoleSessionNameTemplate != "":
		names, err := naming.ParseSessionName(o.role.RoleSessionNameTemplate, b.options.Clock.Now)
		return b.attribute(o, names, err)
	case requested != "":
		name, err := naming.SessionName(requested)
		if err != nil {
			return "", invalid("%v", err)
		}
		return name, nil
	}
	name, err := o.name(naming.IAM)
	return name.Text, err
}

// sourceIdentity is that of an assumed role's session; "" for none.
func (b *Backend) sourceIdentity(o *order) (string, error) {
	if o.role.SourceIdentityTemplate == "" {
		return "", nil
	}
	names, err := naming.ParseSourceIdentity(o.role.SourceIdentityTemplate, b.options.Clock.Now)
	return b.attribute(o, names, err)
}

// attribute makes a name of whoever asks by a template that was read with err.
func (b *Backend) attribute(o *order, names *naming.Template, err error) (string, error) {
	if err != nil {
		return "", invalid("role %q: %v; write the role again", o.roleName, err)
	}
	in := naming.Inputs{Type: naming.IAM, DisplayName: o.displayName, PolicyName: o.roleName}
	if names.AsksIdentity() {
		entity, err := b.entity(o.bearer.EntityID)
		if err != nil {
			return "", err
		}
		in.Identity = func(path string) string { return identityValue(entity, path) }
	}
	name, err := names.Name(in)
	if err != nil {
		return "", invalid("role %q: %v", o.roleName, err)
	}
	return name.Text, nil
}

// entity is what Vault knows of an entity; empty if the token has none.
func (b *Backend) entity(id string) (*logical.Entity, error) {
	if id == "" {
		return nil, nil
	}
	entity, err := b.System().EntityInfo(id)
	if err != nil {
		return nil, fmt.Errorf("look up entity %q: %w", id, err)
	}
	return entity, nil
}

// identityValue is a value of an entity by its path in Vault's templates, without
// the leading "identity."; "" if it has none.
// https://developer.hashicorp.com/vault/docs/concepts/policies#templated-policies (checked 2026-11)
func identityValue(entity *logical.Entity, path string) string {
	path = strings.TrimPrefix(path, "entity.")
	accessor, is := strings.CutPrefix(path, "aliases.")
	if !is {
		return partOf(path, entity.GetID(), entity.GetName(), entity.GetMetadata())
	}
	accessor, path, _ = strings.Cut(accessor, ".")
	for _, alias := range entity.GetAliases() {
		if alias.GetMountAccessor() != accessor {
			continue
		}
		if key, custom := strings.CutPrefix(path, "custom_metadata."); custom {
			return alias.GetCustomMetadata()[key]
		}
		return partOf(path, alias.GetID(), alias.GetName(), alias.GetMetadata())
	}
	return ""
}

// partOf is what entities and aliases have in common.
func partOf(path, id, name string, metadata map[string]string) string {
	switch path {
	case "id":
		return id
	case "name":
		return name
	}
	key, _ := strings.CutPrefix(path, "metadata.")
	return metadata[key]
}

// attributionTemplates are the templates of a role, with what is wrong with each.
func (b *Backend) attributionTemplates(role *store.Role) (templates []*naming.Template, problems []string) {
	for _, t := range []struct {
		text  string
		parse func(string, func() time.Time) (*naming.Template, error)
	}{
		{role.RoleSessionNameTemplate, naming.ParseSessionName},
		{role.SourceIdentityTemplate, naming.ParseSourceIdentity},
	} {
		if t.text == "" {
			continue
		}
		template, err := t.parse(t.text, b.options.Clock.Now)
		if err == nil {
			err = template.ValidateAttribution()
		}
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		templates = append(templates, template)
	}
	return templates, problems
}

// attributionProblems lists what is wrong with the templates of a role.
func (b *Backend) attributionProblems(role *store.Role) []string {
	_, problems := b.attributionTemplates(role)
	return problems
}

// attributionWarnings tells for whom the templates of a role make no name.
func (b *Backend) attributionWarnings(role *store.Role) (warnings []string) {
	templates, _ := b.attributionTemplates(role)
	for _, template := range templates {
		warnings = append(warnings, template.AttributionWarnings()...)
	}
	return warnings
}
