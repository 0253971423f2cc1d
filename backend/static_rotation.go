package backend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/rotation"
)

// staticAccess is how a static role's user is reached.
type staticAccess struct {
	records store.Records
	root    *root
	client  *awsclient.Client // of the user's account
	assume  *lifecycle.AssumeStep
}

// defaultStaticSession is the session name of assume_role_arn.
const defaultStaticSession = "vault-static-role"

func (b *Backend) staticAccess(ctx context.Context, storage logical.Storage, role *store.StaticRole) (*staticAccess, error) {
	return b.accessThrough(ctx, storage, assumeStep(role))
}

func (b *Backend) accessThrough(ctx context.Context, storage logical.Storage, assume *lifecycle.AssumeStep) (*staticAccess, error) {
	root, err := b.root(ctx, storage)
	if err != nil {
		return nil, err
	}
	a := &staticAccess{records: store.Records{Storage: storage}, root: root, client: root.Client, assume: assume}
	if assume != nil {
		a.client = root.Through(*assume)
	}
	return a, nil
}

func assumeStep(role *store.StaticRole) *lifecycle.AssumeStep {
	if role.AssumeRoleARN == "" {
		return nil
	}
	step := &lifecycle.AssumeStep{RoleARN: role.AssumeRoleARN, SessionName: role.AssumeRoleSessionName, ExternalID: role.ExternalID}
	if step.SessionName == "" {
		step.SessionName = defaultStaticSession
	}
	return step
}

// mayTakeOver refuses a user whose keys are somebody else's business: the root
// user's own, another static role's, and users that the engine makes itself.
func (b *Backend) mayTakeOver(ctx context.Context, a *staticAccess, role *store.StaticRole, user awsclient.UserInfo) error {
	if problems := a.root.config.ForbidsStatic(role); len(problems) > 0 {
		return invalid("%s", strings.Join(problems, "; "))
	}
	identity, err := a.root.Identity(ctx)
	if err != nil {
		return err
	}
	if identity.ARN == user.ARN {
		return invalid("username %q is the root user of this mount: its key is rotated by config/rotate-root", role.Username)
	}
	if builtinName.MatchString(role.Username) {
		return invalid("username %q looks like a user that a role of this engine made: its lease would delete it; choose a user that is made elsewhere", role.Username)
	}
	other, err := b.statics.find(ctx, a.records, b.options.Clock.Now(), func(name string, s staticStanding) bool {
		return s.userID == role.ID && name != role.Name
	})
	if err != nil || other == "" {
		return err
	}
	return invalid("username %q is taken: static role %q rotates its keys; read static-creds of that role, or delete it first", role.Username, other)
}

// rotateStatic makes a new key for the user of a role and stores it. The caller
// holds the role's lock.
func (b *Backend) rotateStatic(ctx context.Context, a *staticAccess, role *store.StaticRole) error {
	if err := b.users.Halted(ctx); err != nil {
		return err
	}
	err := b.tryRotateStatic(governor.As(ctx, governor.Rotate), a, role)
	if errors.Is(err, lifecycle.ErrCannotRotate) {
		err = invalid("%v", err)
	}
	if err != nil {
		b.users.Tell(lifecycle.Event{What: lifecycle.WasNotRotated, Type: lifecycle.TypeStaticKey})
		b.noteStaticError(context.WithoutCancel(ctx), a, role, err)
		return err
	}
	if err := b.retirePrevious(ctx, a, role); err != nil {
		b.Logger().Warn("the previous key of a static role is not deactivated yet", "role", role.Name, "error", err)
	}
	return nil
}

func (b *Backend) tryRotateStatic(ctx context.Context, a *staticAccess, role *store.StaticRole) error {
	if problems := a.root.config.ForbidsStatic(role); len(problems) > 0 {
		return invalid("%s", strings.Join(problems, "; "))
	}
	user, err := a.client.FindUser(ctx, role.Username)
	if err != nil {
		return err
	}
	if user.ID != role.ID {
		return invalid("IAM user %q is another one than when static role %q was written (%s, now %s): delete the role and write it again", role.Username, role.Name, role.ID, user.ID)
	}
	creds, err := a.records.StaticCreds(ctx, role.Name)
	if err != nil {
		return err
	}
	previous := ""
	if creds != nil {
		previous = creds.PreviousKey
	}
	return b.users.RotateStatic(ctx, lifecycle.StaticRotation{
		KeyRotation: b.staticChange(a, role.Name, role),
		IAM:         a.client,
		UserName:    role.Username,
		Account:     user.Account(),
		Role:        role.Name,
		Assume:      a.assume,
		Previous:    previous,
		Adoption:    adoption(role),
		RootKey:     a.root.config.AccessKey,
	})
}

// staticChange is a change of a static role's key. role is what is stored along
// with the key; nil where only what was begun is finished.
func (b *Backend) staticChange(a *staticAccess, name string, role *store.StaticRole) lifecycle.KeyRotation {
	return lifecycle.KeyRotation{
		Keys:    a.client,
		As:      as(a.client),
		Store:   staticStore{records: a.records, name: name, role: role, now: b.options.Clock.Now},
		Journal: keyJournal{storage: a.records.Storage, prefix: staticJournal},
	}
}

// staticStore is the key of a static role in static-creds/<name>.
type staticStore struct {
	records store.Records
	name    string
	role    *store.StaticRole
	now     func() time.Time
}

// StoredKey implements lifecycle.KeyStore.
func (s staticStore) StoredKey(ctx context.Context) (string, error) {
	creds, err := s.records.StaticCreds(ctx, s.name)
	if err != nil || creds == nil {
		return "", err
	}
	return creds.AccessKey, nil
}

// ReplaceKey implements lifecycle.KeyStore.
func (s staticStore) ReplaceKey(ctx context.Context, oldID string, key lifecycle.AccessKey) error {
	stored, err := s.StoredKey(ctx)
	if err != nil {
		return err
	}
	if stored != oldID {
		return lifecycle.ErrConfigChanged
	}
	if err := s.records.PutStaticRole(ctx, s.role); err != nil {
		return err
	}
	now := s.now().UTC()
	creds := &store.StaticCreds{
		AccessKey: key.ID, SecretKey: key.Secret.Reveal(), LastRotation: now,
		Expiration: nextStatic(s.role, now), PreviousKey: oldID,
	}
	creds.PreviousValidUntil = creds.Expiration
	if s.role.Grace != nil {
		end := now.Add(*s.role.Grace)
		creds.PreviousValidUntil = &end
	}
	return s.records.PutStaticCreds(ctx, s.name, creds)
}

// nextStatic is when a key made at from is to be rotated; nil for never.
func nextStatic(role *store.StaticRole, from time.Time) *time.Time {
	if role.RotationPeriod > 0 {
		next := from.Add(role.RotationPeriod)
		return &next
	}
	if role.RotationSchedule == "" {
		return nil
	}
	cron, err := rotation.DefaultScheduler.Parse(role.RotationSchedule)
	if err != nil {
		return nil
	}
	next := cron.Next(from.UTC())
	return &next
}

// lastRotation is when the key was made; the built-in engine does not say, so a
// key of its counts from now.
func (b *Backend) lastRotation(creds *store.StaticCreds) time.Time {
	if creds.LastRotation.IsZero() {
		return b.options.Clock.Now().UTC()
	}
	return creds.LastRotation
}

// noteStaticError writes down why a rotation failed, for those who read the key.
func (b *Backend) noteStaticError(ctx context.Context, a *staticAccess, role *store.StaticRole, failed error) {
	creds, err := a.records.StaticCreds(ctx, role.Name)
	if err == nil && creds != nil {
		creds.LastError = explain(failed)
		err = a.records.PutStaticCreds(ctx, role.Name, creds)
	}
	if err != nil {
		b.Logger().Warn("the failure of a rotation is not written down", "role", role.Name, "error", err)
	}
}

// retirePrevious deactivates the previous key when its grace is over. Without a
// grace it stays valid until the next rotation deletes it.
func (b *Backend) retirePrevious(ctx context.Context, a *staticAccess, role *store.StaticRole) error {
	creds, err := a.records.StaticCreds(ctx, role.Name)
	if err != nil || creds == nil || !previousOver(role, creds, b.options.Clock.Now()) {
		return err
	}
	if err := a.spareRootKey(creds.PreviousKey); err != nil {
		return err
	}
	// A write before the act: a deposed leader cannot write, so cannot act.
	if err := a.records.PutStaticCreds(ctx, role.Name, creds); err != nil {
		return err
	}
	err = a.client.DeactivateAccessKey(ctx, role.Username, creds.PreviousKey)
	if err != nil && !errors.Is(err, awserr.NotFound) {
		return err
	}
	creds.PreviousInactive = true
	return a.records.PutStaticCreds(ctx, role.Name, creds)
}

// spareRootKey refuses to end a static role's key by which the mount itself goes.
func (a *staticAccess) spareRootKey(keys ...string) error {
	root := a.root.config.AccessKey
	if root == "" || !slices.Contains(keys, root) {
		return nil
	}
	return invalid("%s is also the root key of this mount: put a key of another user into config/root", root)
}

// staticRoleOf is the static role that rotates an access key, "" for none.
func (b *Backend) staticRoleOf(ctx context.Context, records store.Records, accessKey string) (string, error) {
	return b.statics.find(ctx, records, b.options.Clock.Now(), func(_ string, s staticStanding) bool {
		return slices.Contains(s.keys, accessKey)
	})
}

func previousOver(role *store.StaticRole, creds *store.StaticCreds, now time.Time) bool {
	end := staticRecord{role, creds}.previousEnd()
	return end != nil && !now.Before(*end)
}
