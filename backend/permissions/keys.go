package permissions

import "vault-plugin-secrets-aws/backend/store"

func here(r *store.StaticRole) bool { return r.AssumeRoleARN == "" }

// onStatics is a need on the users that static roles have taken over.
func (m *Mount) onStatics(that func(*store.StaticRole) bool, actions ...string) []Need {
	names := of(m.statics(that), func(r *store.StaticRole) []string { return []string{r.Username} })
	patterns, samples := m.anyPath("user", names)
	return []Need{{Actions: actions, Resources: patterns, Samples: samples}}
}

func (m *Mount) rotatingStatic() []Need {
	return m.onStatics(here, "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser", "iam:ListAccessKeys")
}

// retiring deactivates the previous key when its grace is over.
func (m *Mount) retiring() []Need {
	return m.onStatics(func(r *store.StaticRole) bool { return here(r) && r.Grace != nil }, "iam:UpdateAccessKey")
}

// reachingStatic is for users of other accounts: what is done there, the IAM role
// must be allowed.
func (m *Mount) reachingStatic() []Need {
	away := m.statics(func(r *store.StaticRole) bool { return !here(r) })
	arns := of(away, func(r *store.StaticRole) []string { return []string{r.AssumeRoleARN} })
	return []Need{{Actions: []string{"sts:AssumeRole"}, Resources: arns, Samples: arns}}
}

// rotatingRoot is for the key that config/root holds.
func (m *Mount) rotatingRoot() []Need {
	if m.Config.AccessKey == "" || m.Root.UserName == "" {
		return nil
	}
	self := []string{m.Root.ARN}
	return []Need{{Actions: []string{"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys"}, Resources: self, Samples: self}}
}
