package backend

import (
	"context"
	"errors"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/logical"
)

// HandleRequest implements logical.Backend. A panic is answered with an error:
// the process serves every mount of the server, and Vault repeats a request
// whose plugin died.
func (b *Backend) HandleRequest(ctx context.Context, req *logical.Request) (resp *logical.Response, err error) {
	ours := *req
	ours.Storage = b.noticing(req.Storage)
	err = b.recovered(func() error {
		resp, err = b.Backend.HandleRequest(ctx, &ours)
		return err
	})
	return resp, err
}

// HandleExistenceCheck implements logical.Backend.
func (b *Backend) HandleExistenceCheck(ctx context.Context, req *logical.Request) (checked, exists bool, err error) {
	err = b.recovered(func() error {
		checked, exists, err = b.Backend.HandleExistenceCheck(ctx, req)
		return err
	})
	return checked, exists, err
}

func (b *Backend) recovered(call func() error) error {
	err := lifecycle.Recovered(call)
	if err != nil {
		b.logPanic(err)
	}
	return err
}

// logPanic writes the stack of a caught panic to the log; the error that goes
// out does not carry it.
func (b *Backend) logPanic(err error) {
	var caught *lifecycle.PanicError
	if errors.As(err, &caught) {
		b.Logger().Error("caught a panic; please report it", "value", caught.Value, "stack", string(caught.Stack))
	}
}
