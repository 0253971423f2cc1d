package endurance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// leftFor is how long everything is made to look left: beyond every age that
	// the worker waits for.
	leftFor = 40 * time.Minute
	// longOver is how long ago leases are made to look over: beyond the hour of
	// grace that records give them.
	longOver = 2 * time.Hour
	// dueAtOnce is how many records of issued users are set back at a time. The
	// worker takes more than 20 that fall due at once for a mistake.
	dueAtOnce = 15
)

// leaked revokes every lease, has the worker clear what failed requests and
// servers that died left, and returns the users of leases that are in AWS all
// the same.
func (a account) leaked(ctx context.Context, v *vault) ([]string, error) {
	if err := v.revokeAll(ctx); err != nil {
		return nil, err
	}
	store, err := openStore(ctx, v)
	if err != nil {
		return nil, err
	}
	waited := errors.Join(
		await(ctx, func() error { return a.owned(ctx, store) }),
		store.clear(ctx))
	users, err := a.leased(ctx)
	if len(users) > 0 {
		return users, err
	}
	return nil, errors.Join(waited, err)
}

// owned checks that the journal or a record names every user that is left in AWS,
// so that the worker will see it destroyed.
func (a account) owned(ctx context.Context, s store) error {
	users, err := a.leased(ctx)
	if err != nil {
		return err
	}
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	for _, user := range users {
		if !names[user] {
			return fmt.Errorf("nothing names user %q", user)
		}
	}
	return nil
}

// leased are the users in AWS that leases were made for.
func (a account) leased(ctx context.Context) (names []string, err error) {
	all, err := a.sim.Users(ctx)
	for _, name := range all {
		if strings.HasPrefix(name, "vault-") {
			names = append(names, name)
		}
	}
	return names, err
}

// A store is the storage of the mount.
type store struct {
	v      *vault
	folder string // with a slash
}

func openStore(ctx context.Context, v *vault) (store, error) {
	var mounts struct {
		Data map[string]struct{ UUID string }
	}
	err := v.insist(ctx, http.MethodGet, "sys/mounts", nil, &mounts)
	return store{v: v, folder: "sys/raw/logical/" + mounts.Data[mount+"/"].UUID + "/"}, err
}

// list is the keys below a folder.
func (s store) list(ctx context.Context, folder string) ([]string, error) {
	var answer struct{ Data struct{ Keys []string } }
	err := await(ctx, func() error {
		got, err := s.v.call(ctx, "LIST", s.folder+folder, nil)
		if err != nil || got.Status == http.StatusNotFound {
			return err
		}
		return got.Into(&answer)
	})
	return answer.Data.Keys, err
}

// names are the users that the journal and the records name.
func (s store) names(ctx context.Context) (map[string]bool, error) {
	names := map[string]bool{}
	entries, err := s.all(ctx)
	for _, key := range entries {
		record, failed := s.read(ctx, key)
		name, ok := record["user_name"].(string)
		if !ok {
			name, _ = inner(record)["UserName"].(string)
		}
		names[name] = true
		err = errors.Join(err, failed)
	}
	return names, err
}

// all are the keys of journal entries and records.
func (s store) all(ctx context.Context) (keys []string, err error) {
	for _, folder := range []string{"wal/", "users/"} {
		names, failed := s.list(ctx, folder)
		for _, name := range names {
			keys = append(keys, folder+name)
		}
		err = errors.Join(err, failed)
	}
	return keys, err
}

// clear sets journal entries and records back in time, has a new worker see to
// them, and goes on until there are none.
func (s store) clear(ctx context.Context) error {
	for {
		keys, err := s.ageSome(ctx)
		if err != nil || len(keys) == 0 {
			return err
		}
		// A mount that is loaded anew has its worker pass at once.
		reload := map[string]any{"mounts": []string{mount + "/"}}
		if err := s.v.insist(ctx, http.MethodPut, "sys/plugins/reload/backend", reload, nil); err != nil {
			return err
		}
		if err := await(ctx, func() error { return s.gone(ctx, keys) }); err != nil {
			return err
		}
	}
}

// ageSome sets journal entries and records back in time, but no more records of
// issued users than may fall due at once, and returns their keys.
func (s store) ageSome(ctx context.Context) (aged []string, err error) {
	keys, err := s.all(ctx)
	issued := 0
	for _, key := range keys {
		record, failed := s.read(ctx, key)
		if record["state"] == "issued" {
			issued++
		}
		if failed == nil && record != nil && issued <= dueAtOnce {
			setBack(record)
			failed = s.write(ctx, key, record)
			aged = append(aged, key)
		}
		err = errors.Join(err, failed)
	}
	return aged, err
}

// gone checks that nothing is stored under the keys any more.
func (s store) gone(ctx context.Context, keys []string) error {
	for _, key := range keys {
		record, err := s.read(ctx, key)
		if err == nil && record != nil {
			err = fmt.Errorf("%s is left: %v", key, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read is a record, nil if it is gone.
func (s store) read(ctx context.Context, key string) (record map[string]any, err error) {
	got, err := s.v.call(ctx, http.MethodGet, s.folder+key, nil)
	if err != nil || got.Status == http.StatusNotFound {
		return nil, err
	}
	var answer struct{ Data struct{ Value string } }
	if err := got.Into(&answer); err != nil {
		return nil, err
	}
	err = json.Unmarshal([]byte(answer.Data.Value), &record)
	return record, err
}

func (s store) write(ctx context.Context, key string, record map[string]any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return s.v.insist(ctx, http.MethodPost, s.folder+key, map[string]string{"value": string(text)}, nil)
}

// setBack sets the hours in a journal entry or a record back. A record that
// waits for its next try is due.
func setBack(record map[string]any) {
	if created, ok := record["created_at"].(float64); ok {
		record["created_at"] = int64(created) - int64(leftFor.Seconds())
	}
	setTime(inner(record), "issued_at", -leftFor)
	setTime(record, "issued", -leftFor)
	delete(record, "next_try")
	if _, ok := record["deadline"]; ok {
		record["deadline"] = now().Add(-longOver).UTC()
	}
}

// inner is the intent in a journal entry of Vault's.
func inner(record map[string]any) map[string]any {
	data, _ := record["data"].(map[string]any)
	return data
}

func setTime(record map[string]any, field string, by time.Duration) {
	text, _ := record[field].(string)
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		record[field] = at.Add(by)
	}
}
