package bench

import "context"

// sessionTypes are the credentials of STS.
var sessionTypes = []string{"assumed_role", "federation_token", "session_token"}

// sessionRole is a role of such a type, named like it.
func sessionRole(a *account, credentialType string) map[string]any {
	role := map[string]any{"credential_type": credentialType}
	switch credentialType {
	case "assumed_role":
		role["role_arns"] = a.arn("role/" + iamRole)
	case "federation_token":
		role["policy_document"] = something
	}
	return role
}

// The runs of a first credential, each of which takes a new mount, and of the
// later ones.
const (
	firstRuns  = 8
	steadyRuns = 20
)

// sessions reads each type of STS credential: first on new mounts, then again.
func sessions(ctx context.Context, w *world) error {
	pair, err := w.together(ctx)
	if err != nil {
		return err
	}
	if err := w.feel(ctx, slow); err != nil {
		return err
	}
	for _, t := range sessionTypes {
		if err := takeTurns(pair, w.Quick.of(firstRuns), func(e *engine) error { return e.firstSession(ctx, t) }); err != nil {
			return err
		}
		again := func(e *engine) error {
			took, err := timed(func() error { _, err := e.issue(ctx, t); return err })
			e.sheet.took(t, e.side, took)
			return err
		}
		if err := takeTurns(pair, w.Quick.of(steadyRuns), again); err != nil {
			return err
		}
	}
	return w.calm(ctx)
}

// firstSession makes the mount anew and reads its first credential.
func (e *engine) firstSession(ctx context.Context, credentialType string) error {
	if err := e.disable(ctx); err != nil {
		return err
	}
	if err := e.enable(ctx); err != nil {
		return err
	}
	if err := e.write(ctx, "roles/"+credentialType, sessionRole(e.account, credentialType)); err != nil {
		return err
	}
	mark, err := e.mark(ctx)
	if err != nil {
		return err
	}
	took, err := timed(func() error { _, err := e.issue(ctx, credentialType); return err })
	if err != nil {
		return err
	}
	e.sheet.took("first "+credentialType, e.side, took)
	calls, err := e.calls(ctx, mark)
	e.sheet.add("calls of the first "+credentialType, e.side, float64(len(calls)))
	return err
}
