package lifecycle

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// sideBySide runs all calls at once, waits for every one of them and returns
// the first error in the order of calls. It waits even after a failure: what
// comes next must not run beside a call that is still under way.
func sideBySide(calls ...func() error) error {
	errs := allErrors(calls...)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// SideBySide is sideBySide for other packages.
func SideBySide(calls ...func() error) error { return sideBySide(calls...) }

// allErrors is sideBySide for callers that want each call's error.
func allErrors(calls ...func() error) []error {
	errs := make([]error, len(calls))
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(func() { errs[i] = Recovered(call) })
	}
	wg.Wait()
	return errs
}

// Recovered turns a panic into an error: the process serves every mount of the
// server, and a panic in a goroutine would end it.
func Recovered(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return call()
}

// PanicError is a bug of ours that was caught.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the panic without the stack, which belongs into the log only.
func (p *PanicError) Error() string {
	return fmt.Sprintf("internal error: panic of type %T", p.Value)
}
