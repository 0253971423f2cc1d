package crashtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// Store is the storage of a mount, as a test reaches it.
type Store interface {
	// Keys lists all keys below a folder, "wal/"; "" is everything.
	Keys(folder string) ([]string, error)
	// Load decodes an entry, and reports whether there is one.
	Load(key string, into any) (found bool, err error)
	Save(key string, value any) error
}

// Folders in which work is written down that is not done yet.
var (
	Journals = []string{"wal/", "journal/root-key/", "journal/static-key/"}
	Work     = append([]string{"users/"}, Journals...)
)

// Pending lists the entries in some folders.
func Pending(s Store, folders ...string) ([]string, error) {
	var all []string
	for _, folder := range folders {
		keys, err := s.Keys(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	return all, nil
}

// Age sets all entries in some folders back in time, as if they had been written
// that much earlier.
func Age(s Store, by time.Duration, folders ...string) error {
	keys, err := Pending(s, folders...)
	for _, key := range keys {
		err = errors.Join(err, AgeEntry(s, key, by))
	}
	return err
}

// AgeEntry sets one entry back in time; one that is gone meanwhile stays so.
func AgeEntry(s Store, key string, by time.Duration) error {
	var entry map[string]any
	found, err := s.Load(key, &entry)
	if err != nil || !found {
		return err
	}
	return s.Save(key, aged(entry, by))
}

// aged sets every time in a decoded entry back: those that Go writes, and the
// second at which Vault's journal was written.
func aged(value any, by time.Duration) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if name == "created_at" {
				v[name] = agedSecond(inner, by)
				continue
			}
			v[name] = aged(inner, by)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && at.Year() > 1 {
			return at.Add(-by)
		}
	}
	return value
}

// agedSecond sets a time in seconds back.
func agedSecond(value any, by time.Duration) any {
	seconds, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	if err != nil {
		return value
	}
	return int64(seconds) - int64(by.Seconds())
}

// Gather collects the evidence. Owners are read before what they own and after
// it, until both agree: work that goes on meanwhile must not look like a leak.
func Gather(ctx context.Context, a *Account, s Store, leases []Lease, spared []string) (Evidence, error) {
	before, err := owners(ctx, a, s)
	for err == nil {
		account := a.Sim.State().Accounts[a.Root.Account]
		after, readErr := owners(ctx, a, s)
		if readErr == nil && reflect.DeepEqual(before, after) {
			after.Leases, after.Spared = leases, spared
			after.take(a, account)
			return after, nil
		}
		before, err = after, errors.Join(readErr, ctx.Err())
	}
	return Evidence{}, err
}

// owners is the part of the evidence that storage tells.
func owners(ctx context.Context, a *Account, s Store) (Evidence, error) {
	var e Evidence
	err := errors.Join(e.readNames(s), e.readKeyEntries(s), e.readKeys(ctx, a, s))
	return e, err
}

// take is the part of the evidence that AWS tells.
func (e *Evidence) take(a *Account, account awssim.Account) {
	e.Users = account.Users
	delete(e.Users, a.Sim.Admin().UserName)
	for arn := range account.Policies {
		if arn != a.Policy {
			e.Policies = append(e.Policies, arn)
		}
	}
}

func (e *Evidence) readNames(s Store) error {
	keys, err := Pending(s, "wal/", "users/")
	for _, key := range keys {
		if name, ok := strings.CutPrefix(key, "users/"); ok {
			e.Recorded = append(e.Recorded, name)
			continue
		}
		var entry struct{ Data struct{ UserName string } }
		_, readErr := s.Load(key, &entry)
		err = errors.Join(err, readErr)
		e.Announced = append(e.Announced, entry.Data.UserName)
	}
	return err
}

func (e *Evidence) readKeyEntries(s Store) error {
	keys, err := Pending(s, "journal/root-key/", "journal/static-key/")
	for _, key := range keys {
		var entry KeyEntry
		_, readErr := s.Load(key, &entry)
		err = errors.Join(err, readErr)
		e.KeyEntries = append(e.KeyEntries, entry)
	}
	return err
}

func (e *Evidence) readKeys(ctx context.Context, a *Account, s Store) error {
	_, err := s.Load("config/root", &e.Root)
	e.Root = a.Tried(ctx, e.Root.KeyPair)
	var static StaticKey
	found, staticErr := s.Load("static-creds/app", &static)
	if found {
		static.Key = a.Tried(ctx, static.KeyPair)
		e.Static = &static
	}
	return errors.Join(err, staticErr)
}
