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

// leftFor is how long the journal is made to look left: beyond every age that
// rolling back waits for.
const leftFor = 40 * time.Minute

// leaked revokes every lease, has the worker clear what failed requests left,
// and returns the users of leases that are in AWS all the same. A lease may
// outlive its user: where a revoke was cut off, its repetition believes AWS that
// the user is gone only five minutes after it was made.
func (a account) leaked(ctx context.Context, v *vault) ([]string, error) {
	if err := v.revokeAll(ctx); err != nil {
		return nil, err
	}
	store, err := openStore(ctx, v)
	if err != nil {
		return nil, err
	}
	waited := await(ctx, func() error { return a.owned(ctx, store) })
	if err := store.age(ctx); err != nil {
		return nil, err
	}
	// A mount that is loaded anew has its worker pass at once.
	reload := map[string]any{"mounts": []string{mount + "/"}}
	if err := v.insist(ctx, http.MethodPut, "sys/plugins/reload/backend", reload, nil); err != nil {
		return nil, err
	}
	waited = errors.Join(waited, await(ctx, func() error { return store.empty(ctx) }))
	users, err := a.leased(ctx)
	if len(users) > 0 {
		return users, err
	}
	return nil, errors.Join(waited, err)
}

// owned checks that the journal names every user that is left in AWS, so that
// the worker will see it destroyed.
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

// names are the users that the journal names.
func (s store) names(ctx context.Context) (map[string]bool, error) {
	names := map[string]bool{}
	ids, err := s.list(ctx, "wal/")
	for _, id := range ids {
		record, failed := s.read(ctx, "wal/"+id)
		data, _ := record["data"].(map[string]any)
		name, _ := data["UserName"].(string)
		names[name] = true
		err = errors.Join(err, failed)
	}
	return names, err
}

// age sets the journal back in time.
func (s store) age(ctx context.Context) error {
	ids, err := s.list(ctx, "wal/")
	for _, id := range ids {
		record, failed := s.read(ctx, "wal/"+id)
		if failed == nil && record != nil {
			ageIntent(record)
			failed = s.write(ctx, "wal/"+id, record)
		}
		err = errors.Join(err, failed)
	}
	return err
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

// ageIntent sets back the hour that Vault has noted, and the one in the intent.
func ageIntent(record map[string]any) {
	if created, ok := record["created_at"].(float64); ok {
		record["created_at"] = int64(created) - int64(leftFor.Seconds())
	}
	data, _ := record["data"].(map[string]any)
	text, _ := data["issued_at"].(string)
	if issued, err := time.Parse(time.RFC3339Nano, text); err == nil {
		data["issued_at"] = issued.Add(-leftFor)
	}
}

// empty checks that nothing is written down any more.
func (s store) empty(ctx context.Context) error {
	ids, err := s.list(ctx, "wal/")
	if err == nil && len(ids) > 0 {
		err = fmt.Errorf("%d journal entries are left", len(ids))
	}
	return err
}
