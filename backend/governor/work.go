package governor

import "context"

// Class is what a call is for: the lower goes first.
type Class int

// The classes. While keys of revoked leases live, nothing else is sent.
const (
	KillKey Class = iota
	Revoke        // what is left of a user whose keys are dead
	Issue
	Rotate
	Refill // users that nobody has asked for yet
	Tidy

	classes = int(Tidy) + 1
)

// spares reports whether a class leaves half a second's calls to whoever comes
// next: nobody waits for it, and those before it come in bursts.
func (c Class) spares() bool { return c == Refill }

// work is on whose behalf calls are made, and what for.
type work struct {
	class  Class
	entity string
}

type workKey struct{}

// For returns a context whose calls are of a class and on behalf of an entity,
// which shares the class's rate evenly with the others that wait.
func For(ctx context.Context, class Class, entity string) context.Context {
	return context.WithValue(ctx, workKey{}, work{class: class, entity: entity})
}

// As returns a context whose calls are of another class.
func As(ctx context.Context, class Class) context.Context {
	return For(ctx, class, workOf(ctx).entity)
}

// workOf is the work of a context. What nobody named is somebody's request.
func workOf(ctx context.Context) work {
	if w, ok := ctx.Value(workKey{}).(work); ok {
		return w
	}
	return work{class: Issue}
}
