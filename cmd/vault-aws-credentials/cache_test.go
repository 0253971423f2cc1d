package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	aKey     = cacheKey{Address: "https://vault", Path: "aws/sts/app", Accessor: "a"}
	aSession = credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t", Expiration: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
)

// cached makes a cache that holds aSession. It returns its folder and the file.
func cached(t *testing.T) (dir, file string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "cache")
	c, err := openCacheIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.save(aKey, aSession); err != nil {
		t.Fatal(err)
	}
	name, err := aKey.file()
	if err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, name)
}

// TestHostileCache is what others may have done to the cache.
func TestHostileCache(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, dir, file string) error
		want string // in the error; "": no error, and nothing is found
	}{
		{"a link to a folder", func(_ *testing.T, dir, _ string) error {
			if err := os.Rename(dir, dir+"-moved"); err != nil {
				return err
			}
			return os.Symlink(dir+"-moved", dir)
		}, "link"},
		{"a folder that others may enter", func(_ *testing.T, dir, _ string) error { return os.Chmod(dir, 0o750) }, "others may use it"},
		{"a folder of another user", func(t *testing.T, dir, _ string) error { return chown(t, dir) }, "another user"},
		{"a link to a file", func(_ *testing.T, _, file string) error {
			if err := os.Rename(file, file+"-moved"); err != nil {
				return err
			}
			return os.Symlink(filepath.Base(file)+"-moved", file)
		}, "link"},
		{"a file that others may read", func(_ *testing.T, _, file string) error { return os.Chmod(file, 0o640) }, "others may use it"},
		{"a file of another user", func(t *testing.T, _, file string) error { return chown(t, file) }, "another user"},
		{"a folder in place of the file", func(_ *testing.T, _, file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		}, "not what it should be"},
		{"half a file", func(_ *testing.T, _, file string) error { return os.Truncate(file, 20) }, ""},
		{"an empty file", func(_ *testing.T, _, file string) error { return os.Truncate(file, 0) }, ""},
		{"no file", func(_ *testing.T, _, file string) error { return os.Remove(file) }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, file := cached(t)
			if err := tc.do(t, dir, file); err != nil {
				t.Fatal(err)
			}
			found, err := loaded(dir)
			if found || (tc.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("found = %v, error = %v; want %q", found, err, tc.want)
			}
		})
	}
}

// loaded opens the cache and looks for aSession.
func loaded(dir string) (bool, error) {
	c, err := openCacheIn(dir)
	if err != nil {
		return false, err
	}
	defer c.close()
	_, found, err := c.load(aKey, time.Now())
	return found, err
}

// chown gives a file to another user, which root alone may do.
func chown(t *testing.T, path string) error {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIP owner: only root can give files away")
	}
	return os.Lchown(path, 1, -1)
}

func TestCacheModes(t *testing.T) {
	dir, file := cached(t)
	for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, file: 0o600} {
		if found, err := os.Stat(path); err != nil || found.Mode() != want {
			t.Errorf("%s: %v, %v; want %s", path, found.Mode(), err, want)
		}
	}
	if found, err := loaded(dir); !found || err != nil {
		t.Errorf("found = %v, %v", found, err)
	}
}

func TestCacheSweepsWhatHasEnded(t *testing.T) {
	dir, file := cached(t)
	old := filepath.Join(dir, "old.json")
	if err := os.Rename(file, old); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-cacheLife - time.Minute)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	c, err := openCacheIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.save(aKey, aSession); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, dir); len(left) != 1 || left[file] == "" {
		t.Errorf("files = %v", left)
	}
}
