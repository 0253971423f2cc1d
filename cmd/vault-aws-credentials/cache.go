package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// cacheMargin is how long before its end a session is no longer given out: the
// SDKs replace theirs 5 minutes before.
const cacheMargin = 5 * time.Minute

// cacheLife is AWS's longest session.
const cacheLife = 36 * time.Hour

// cacheKey tells sessions apart. It holds no Vault token, nor do the files.
type cacheKey struct {
	Address    string
	Namespace  string
	Path       string
	Parameters url.Values
	Accessor   string
}

// file is the name of the session's file.
func (k cacheKey) file() (string, error) {
	text, err := json.Marshal(k)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]) + ".json", err
}

// cache is the folder that holds sessions, a file each. Nobody but its user may
// enter it: what lies there is used as it is.
type cache struct{ root *os.Root }

// openCache opens the folder, which it makes if it is not there. One that is a
// link, or that others own or may enter, is an error.
func openCache() (*cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return openCacheIn(filepath.Join(base, "vault-aws-credentials"))
}

func openCacheIn(dir string) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	found, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the cache folder: %w", err)
	}
	opened, err := root.Stat(".")
	if err == nil {
		err = private(found, opened, fs.ModeDir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the cache folder %s: %w", dir, err), root.Close())
	}
	return &cache{root}, nil
}

func (c *cache) close() { _ = c.root.Close() }

// private refuses what is not of this type, not ours alone, or not what was
// found under the name before it was opened: a link, or put there meanwhile.
func private(found, opened fs.FileInfo, kind fs.FileMode) error {
	switch {
	case found.Mode().Type() != kind || !os.SameFile(found, opened):
		return errors.New("is a link or not what it should be: remove it")
	case opened.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may use it (%s): remove it, or take their permissions away", opened.Mode())
	}
	return owned(opened)
}

// load returns the session of a key, if there is one that lives long enough.
func (c *cache) load(key cacheKey, now time.Time) (credentials, bool, error) {
	name, err := key.file()
	if err != nil {
		return credentials{}, false, err
	}
	text, err := c.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return credentials{}, false, nil
	}
	if err != nil {
		return credentials{}, false, fmt.Errorf("the cache file %s: %w", filepath.Join(c.root.Name(), name), err)
	}
	var kept credentials
	if json.Unmarshal(text, &kept) != nil || kept.check() != nil || !kept.Expiration.After(now.Add(cacheMargin)) {
		return credentials{}, false, nil // to be replaced
	}
	return kept, true, nil
}

func (c *cache) read(name string) ([]byte, error) {
	found, err := c.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !found.Mode().IsRegular() { // opening a pipe would wait for its writer
		return nil, errors.New("is a link or not what it should be: remove it")
	}
	file, err := c.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	opened, err := file.Stat()
	if err == nil {
		err = private(found, opened, 0)
	}
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(opened.Size(), maxAnswer))
	_, err = file.ReadAt(text, 0)
	return text, err
}

// save writes the session's file anew and puts it in the place of the old one.
func (c *cache) save(key cacheKey, kept credentials) error {
	name, err := key.file()
	if err != nil {
		return err
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	next := name + "." + rand.Text()
	if err := c.write(next, text); err != nil {
		return errors.Join(fmt.Errorf("write the cache: %w", err), c.root.RemoveAll(next))
	}
	if err := c.root.Rename(next, name); err != nil {
		return fmt.Errorf("write the cache: %w", err)
	}
	return c.sweep(time.Now().Add(-cacheLife))
}

// sweep removes the files of before: sessions that have ended, of tokens that
// nobody has any more.
func (c *cache) sweep(before time.Time) error {
	files, err := fs.ReadDir(c.root.FS(), ".")
	for _, file := range files {
		if found, statErr := file.Info(); statErr == nil && found.ModTime().Before(before) {
			err = errors.Join(err, c.root.RemoveAll(file.Name())) // it may be gone already
		}
	}
	return err
}

// write makes a file, which must not be there yet.
func (c *cache) write(name string, text []byte) error {
	file, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
