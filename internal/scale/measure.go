package scale

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"

	"github.com/hashicorp/vault/sdk/logical"
)

// Server is a Vault server with raw_storage_endpoint, on which the plugin is
// registered as "aws", and a simulated AWS without lag.
type Server struct {
	devstack.Client
	Sim *devstack.Sim
	PID int // of the Vault server, whose only plugin is ours
}

// Figures is what a mount of some size costs. Memory is the plugin's, in bytes.
type Figures struct {
	AtRest   int64 // a process with one mount, empty and configured, once it is idle
	Resident int64 // the same with everything planted, all records read
	Peak     int64 // the most it took on the way there

	Start    time.Duration // from a dead plugin to the first answer, a role's
	Issue    time.Duration // the first IAM user after that, while records are still being read
	Complete time.Duration // from the first answer until all records are read

	ListRoles       time.Duration
	ListStaticRoles time.Duration
	ListUsers       time.Duration // a page of 1000, out of the middle
}

// mount is where the measured engine is mounted.
const mount = "scale"

// idleAfter is how long a process is left alone before its memory is taken: the
// runtime gives back within some seconds what garbage took.
const idleAfter = 20 * time.Second

// Measure mounts the engine, plants so much in its storage, ends the plugin's
// process and takes the figures of its next life. It leaves no mount.
func Measure(ctx context.Context, s Server, size Size) (f Figures, err error) {
	if err := s.mount(ctx, mount); err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.unmount(context.WithoutCancel(ctx), mount)) }()
	if f.AtRest, err = s.atRest(ctx); err != nil {
		return f, err
	}
	storage, err := s.storage(ctx, mount)
	if err != nil {
		return f, err
	}
	if err := Plant(ctx, storage, size, time.Now()); err != nil {
		return f, fmt.Errorf("plant: %w", err)
	}
	if err := s.start(ctx, &f); err != nil {
		return f, err
	}
	return f, s.lists(ctx, &f)
}

// start ends the plugin and times its next start. The first requests meet it.
func (s Server) start(ctx context.Context, f *Figures) (err error) {
	if _, err := devstack.KillPlugins(s.PID); err != nil {
		return err
	}
	if f.Start, err = s.firstAnswer(ctx, "/roles/"+RoleName(0)); err != nil {
		return err
	}
	first := time.Now()
	if f.Issue, err = s.time(ctx, http.MethodGet, "/creds/mine"); err != nil {
		return err
	}
	if err := s.complete(ctx); err != nil {
		return err
	}
	f.Complete = time.Since(first)
	if f.Resident, err = s.atRest(ctx); err != nil {
		return err
	}
	pid, err := s.plugin()
	if err == nil {
		f.Peak, err = devstack.PeakMemory(pid)
	}
	return err
}

// firstAnswer is how long it takes until a read is answered. Until Vault has noticed
// that the plugin died, it answers errors.
func (s Server) firstAnswer(ctx context.Context, path string) (time.Duration, error) {
	begun := time.Now()
	for {
		_, err := s.time(ctx, http.MethodGet, path)
		if took := time.Since(begun); err == nil || took > time.Minute {
			return took, err
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (s Server) lists(ctx context.Context, f *Figures) error {
	for path, took := range map[string]*time.Duration{
		"/roles": &f.ListRoles, "/static-roles": &f.ListStaticRoles, "/users?after=" + UserName(50_000): &f.ListUsers,
	} {
		var err error
		if *took, err = s.time(ctx, "LIST", path); err != nil {
			return err
		}
	}
	return nil
}

// complete waits until all records are read.
func (s Server) complete(ctx context.Context) error {
	for {
		var status struct {
			Data struct {
				Complete bool `json:"records_complete"`
			}
		}
		if err := s.Fetch(ctx, http.MethodGet, mount+"/tidy-status", nil, &status); err != nil || status.Data.Complete {
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// time is how long a request to the mount takes.
func (s Server) time(ctx context.Context, method, path string) (time.Duration, error) {
	begun := time.Now()
	err := s.Fetch(ctx, method, mount+path, nil, nil)
	return time.Since(begun), err
}

// atRest is the plugin's memory once it is idle.
func (s Server) atRest(ctx context.Context) (int64, error) {
	if err := sleep(ctx, idleAfter); err != nil {
		return 0, err
	}
	pid, err := s.plugin()
	if err != nil {
		return 0, err
	}
	return devstack.ResidentMemory(pid)
}

// plugin is the process of the plugin.
func (s Server) plugin() (int, error) {
	pids, err := devstack.Children(s.PID)
	if err == nil && len(pids) != 1 {
		err = fmt.Errorf("%d plugin processes, want one for all mounts", len(pids))
	}
	if err != nil {
		return 0, err
	}
	return pids[0], nil
}

// mount mounts the engine, with a root config and a role "mine" for IAM users.
func (s Server) mount(ctx context.Context, path string) error {
	for _, write := range []struct {
		path string
		body any
	}{
		{"sys/mounts/" + path, map[string]any{"type": "aws"}},
		{path + "/config/root", map[string]any{
			"access_key": s.Sim.AccessKey, "secret_key": s.Sim.SecretKey, "region": s.Sim.Region,
			"iam_endpoint": s.Sim.Endpoint, "sts_endpoint": s.Sim.Endpoint,
		}},
		{path + "/roles/mine", map[string]any{"credential_type": "iam_user", "policy_document": policy}},
	} {
		if err := s.Fetch(ctx, http.MethodPost, write.path, write.body, nil); err != nil {
			return err
		}
	}
	return nil
}

// unmount revokes what was issued and removes the mount with all that was planted.
func (s Server) unmount(ctx context.Context, path string) error {
	return s.Fetch(ctx, http.MethodDelete, "sys/mounts/"+path, nil, nil)
}

// storage is the storage of a mount.
func (s Server) storage(ctx context.Context, path string) (logical.Storage, error) {
	var mounts struct {
		Data map[string]struct{ UUID string }
	}
	err := s.Fetch(ctx, http.MethodGet, "sys/mounts", nil, &mounts)
	return raw{client: s.Client, folder: "sys/raw/logical/" + mounts.Data[path+"/"].UUID + "/"}, err
}

// raw is a mount's storage as Vault's operators reach it.
type raw struct {
	logical.Storage // what planting does not need
	client          devstack.Client
	folder          string
}

// Put implements logical.Storage.
func (r raw) Put(ctx context.Context, entry *logical.StorageEntry) error {
	return r.client.Fetch(ctx, http.MethodPut, r.folder+entry.Key, map[string]any{"value": string(entry.Value)}, nil)
}

// Delete implements logical.Storage. Planting deletes only what is not there.
func (r raw) Delete(context.Context, string) error { return nil }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
