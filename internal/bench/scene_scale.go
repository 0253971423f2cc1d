package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The scale of a mount that is far beyond what an account can hold.
const (
	scaleRoles   = 10_000
	scaleStatic  = 10_000
	scaleRecords = 100_000

	plantClients = 48
	scaleRuns    = 5
	// scaleRest is how long the worker has for its index, which it builds in the
	// background after the start.
	scaleRest = 20 * time.Second
)

// scale plants records beneath the engine, through Vault's raw storage, and has
// the plugin start over them.
func scale(ctx context.Context, w *world) error {
	e, err := w.alone(ctx, ours)
	if err != nil {
		return err
	}
	if err := e.write(ctx, "roles/inline", iamUser(something, nil)); err != nil {
		return err
	}
	if err := e.plantAll(ctx); err != nil {
		return err
	}
	for range w.Quick.of(scaleRuns) {
		if err := e.restart(ctx, "scale: start to first answer"); err != nil {
			return err
		}
	}
	if err := pause(ctx, scaleRest); err != nil {
		return err
	}
	took, err := timed(func() error { return e.vault.Fetch(ctx, "LIST", e.mount+"/roles", nil, nil) })
	w.sheet.took("scale: LIST of 10,000 roles", ours, took)
	if err != nil {
		return err
	}
	return w.noteResident("scale: resident memory")
}

// plantAll plants a hundredth of everything in the short form.
func (e *engine) plantAll(ctx context.Context) error {
	folder, err := e.rawFolder(ctx)
	if err != nil {
		return err
	}
	share := 1
	if e.Quick == Short {
		share = 100
	}
	begun := now()
	for _, p := range []struct {
		prefix string
		count  int
		record func(name string) any
	}{
		{"role/r", scaleRoles, e.plantedRole},
		{"static-roles/s", scaleStatic, e.plantedStaticRole},
		{"static-creds/s", scaleStatic, plantedStaticKey},
		{"users/vault-root-planted-", scaleRecords, e.plantedUser},
	} {
		plant := func(i int) error {
			name := p.prefix + strconv.Itoa(i)
			return e.plant(ctx, folder, name, p.record(name))
		}
		if err := atOnce(p.count/share, plant); err != nil {
			return fmt.Errorf("plant %s: %w", p.prefix, err)
		}
	}
	fmt.Fprintf(e.Out, "scale: planted in %s\n", now().Sub(begun).Round(time.Second))
	return nil
}

// rawFolder is where Vault's raw storage has the mount.
func (e *engine) rawFolder(ctx context.Context) (string, error) {
	var mounts struct {
		Data map[string]struct{ UUID string }
	}
	err := e.vault.Fetch(ctx, http.MethodGet, "sys/mounts", nil, &mounts)
	return "sys/raw/logical/" + mounts.Data[e.mount+"/"].UUID + "/", err
}

func (e *engine) plant(ctx context.Context, folder, key string, record any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return e.vault.Fetch(ctx, http.MethodPost, folder+key, map[string]string{"value": string(text)}, nil)
}

// atOnce calls a function for each number below count, many at a time, and
// returns the first error.
func atOnce(count int, call func(i int) error) (first error) {
	numbers := make(chan int)
	var all sync.WaitGroup
	var once sync.Once
	for range plantClients {
		all.Go(func() {
			for i := range numbers {
				if err := call(i); err != nil {
					once.Do(func() { first = err })
				}
			}
		})
	}
	for i := range count {
		numbers <- i
	}
	close(numbers)
	all.Wait()
	return first
}

func (e *engine) plantedRole(string) any {
	return map[string]any{"credential_types": []string{"iam_user"}, "policy_document": something, "user_path": "/", "version": 1}
}

// plantedStaticRole is rotated in a month.
func (e *engine) plantedStaticRole(key string) any {
	name := key[len("static-roles/"):]
	return map[string]any{
		"name": name, "id": "AIDA" + name, "username": "static-" + name, "rotation_period": 30 * 24 * time.Hour, "account": e.account.Account,
	}
}

func plantedStaticKey(string) any {
	return map[string]any{
		"access_key": "AKIAPLANTEDPLANTED00", "secret_key": "planted", "expiration": now().Add(30 * 24 * time.Hour), "last_vault_rotation": now(),
	}
}

// plantedUser is a record of a user whose lease lasts.
func (e *engine) plantedUser(key string) any {
	name := key[len("users/"):]
	return map[string]any{
		"user_name": name, "state": "issued", "name_unique": true, "account": e.account.Account, "role": "inline",
		"access_key_id": "AKIAPLANTEDPLANTED00", "policy_names": []string{"inline"},
		"issued": now(), "deadline": now().Add(30 * 24 * time.Hour),
	}
}
