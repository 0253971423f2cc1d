package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeVault answers as Vault with this project's plugin does. The engine at old
// is one that does not know format=container.
type fakeVault struct {
	reads    int // of credentials
	requests []string
	accessor string
	life     time.Duration // of sessions
}

const (
	vaultToken = "hvs.the-vault-token"
	expiration = "2099-11-22T14:32:35Z"
)

func (v *fakeVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.requests = append(v.requests, r.URL.RequestURI()+" "+r.Header.Get("X-Vault-Namespace"))
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch container := r.URL.Query().Get("format") == "container"; {
	case r.Header.Get("X-Vault-Token") != vaultToken:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"errors":["permission denied"]}`)
	case path == "auth/token/lookup-self":
		fmt.Fprintf(w, `{"data":{"accessor":%q}}`, v.accessor)
	case path == "aws/sts/app" && container:
		v.reads++
		end := expiration
		if v.life > 0 {
			end = time.Now().Add(v.life).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, `{"AccessKeyId":"ASIA%d","SecretAccessKey":"s/e+c","Token":"t/o+k==","Expiration":%q,"AccountId":"123456789012"}`, v.reads, end)
	case path == "aws/sts/app":
		v.reads++
		fmt.Fprintf(w, `{"lease_id":"aws/sts/app/1","data":{"access_key":"ASIA%d","secret_key":"s/e+c","session_token":"t/o+k==","expiration":%q}}`, v.reads, expiration)
	case path == "aws/creds/user" && container:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errors":["format=container is for STS credentials"]}`)
	case path == "aws/creds/user":
		v.reads++
		fmt.Fprintf(w, `{"lease_id":"aws/creds/user/1","data":{"access_key":"AKIA%d","secret_key":"it's","session_token":null}}`, v.reads)
	case path == "old/creds/user":
		fmt.Fprint(w, `{"lease_id":"old/creds/user/7","data":{"access_key":"AKIA7","secret_key":"s","session_token":null}}`)
	case path == "aws/sts/hostile":
		fmt.Fprint(w, `{"data":{"access_key":"AKIA7","secret_key":"s\nrm -rf /","session_token":null}}`)
	case path == "kv/data":
		fmt.Fprint(w, `{"data":{"password":"hidden"}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"errors":[]}`)
	}
}

// started starts the fake and gives the helper an environment of its own. It
// returns the fake and the user's home.
func started(t *testing.T) (*fakeVault, string) {
	t.Helper()
	v := &fakeVault{accessor: "accessor-1"}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	home := t.TempDir()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "VAULT_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{
		"VAULT_ADDR": server.URL, "VAULT_TOKEN": vaultToken, "VAULT_MAX_RETRIES": "0", "VAULT_NAMESPACE": "",
		"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "cache"),
	} {
		t.Setenv(name, value)
	}
	return v, home
}

// ran runs the helper and returns what it prints.
func ran(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := ran(t, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

func TestFormats(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"process", []string{"aws/sts/app"}, `{"Version":1,"AccessKeyId":"ASIA1","SecretAccessKey":"s/e+c","SessionToken":"t/o+k==","Expiration":"2099-11-22T14:32:35Z","AccountId":"123456789012"}` + "\n"},
		{
			"env",
			[]string{"-format=env", "aws/sts/app"},
			"export AWS_ACCESS_KEY_ID='ASIA1'\nexport AWS_SECRET_ACCESS_KEY='s/e+c'\nexport AWS_SESSION_TOKEN='t/o+k=='\nexport AWS_CREDENTIAL_EXPIRATION='2099-11-22T14:32:35Z'\n",
		},
		{
			"env of an IAM user",
			[]string{"-format=env", "aws/creds/user"},
			"export AWS_ACCESS_KEY_ID='AKIA1'\nexport AWS_SECRET_ACCESS_KEY='it'\\''s'\nunset AWS_SESSION_TOKEN\nunset AWS_CREDENTIAL_EXPIRATION\n",
		},
		{
			"ini",
			[]string{"-format=ini", "-profile=app", "aws/sts/app"},
			"[app]\naws_access_key_id = ASIA1\naws_secret_access_key = s/e+c\naws_session_token = t/o+k==\n",
		},
		{"ini of an IAM user", []string{"-format=ini", "/aws/creds/user/"}, "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = it's\n"},
		{"version", []string{"-version"}, "vault-aws-credentials v0.0.0-dev (unknown)\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			started(t)
			if got := mustRun(t, tc.args...); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string // on standard error
	}{
		{"an IAM user for every aws command", []string{"aws/creds/user"}, 1, "400 of Vault: format=container is for STS credentials"},
		{"another engine's IAM user", []string{"old/creds/user"}, 1, "the lease old/creds/user/7: revoke it"},
		{"not an AWS engine", []string{"-format=env", "kv/data"}, 1, "no AWS credentials"},
		{"not an AWS engine, process", []string{"kv/data"}, 1, "does not know format=container"},
		{"nothing there", []string{"-format=env", "aws/none"}, 1, "nothing at this path"},
		{"a bad token", []string{"-token-file=testdata/bad-token", "aws/sts/app"}, 1, "403 of Vault: permission denied"},
		{"a bad token and a cache", []string{"-cache", "-token-file=testdata/bad-token", "aws/sts/app"}, 1, "look up the token"},
		{"no token file", []string{"-token-file=testdata/none", "aws/sts/app"}, 1, "-token-file: "},
		{"a value that would be a command", []string{"-format=env", "aws/sts/hostile"}, 1, "white space"},
		{"a profile that would be a section", []string{"-format=ini", "-profile=a]\n[b", "aws/sts/app"}, 1, "-profile="},
		{"no path", nil, 2, "no path"},
		{"no parameter", []string{"aws/sts/app", "-cache"}, 2, "flags come before the path"},
		{"format as a parameter", []string{"aws/sts/app", "format=env"}, 2, "-format"},
		{"unknown format", []string{"-format=xml", "aws/sts/app"}, 2, "process, env or ini"},
		{"unreachable", []string{"-address=http://127.0.0.1:9", "aws/sts/app", "mfa_code=123456"}, 1, "127.0.0.1:9"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			started(t)
			code, stdout, stderr := ran(t, tc.args...)
			if code != tc.code || stdout != "" || !strings.Contains(stderr, tc.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want %d, nothing, %q", code, stdout, stderr, tc.code, tc.want)
			}
			for _, secret := range []string{"123456", "hidden", "rm -rf", vaultToken, "AKIA7"} {
				if strings.Contains(stderr, secret) {
					t.Errorf("standard error shows %q: %s", secret, stderr)
				}
			}
		})
	}
}

func TestWhatIsAsked(t *testing.T) {
	v, home := started(t)
	t.Setenv("VAULT_TOKEN", "")
	tokenFile := filepath.Join(home, "token")
	mustWrite(t, tokenFile, "Bearer "+vaultToken+"\n")
	mustRun(t, "-token-file="+tokenFile, "-namespace=team", "aws/sts/app", "ttl=1h", "role_arn=a:b")
	mustWrite(t, filepath.Join(home, ".vault-token"), vaultToken+"\n")
	mustRun(t, "-format=env", "aws/sts/app")
	want := []string{"/v1/aws/sts/app?format=container&role_arn=a%3Ab&ttl=1h team", "/v1/aws/sts/app "}
	if fmt.Sprint(v.requests) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", v.requests, want)
	}
}

func TestCache(t *testing.T) {
	v, home := started(t)
	first := mustRun(t, "-cache", "aws/sts/app")
	if again := mustRun(t, "-cache", "aws/sts/app"); again != first || v.reads != 1 {
		t.Errorf("%d reads, %s and %s", v.reads, first, again)
	}
	for name, other := range map[string]func() []string{
		"another path":      func() []string { return []string{"-cache", "-format=env", "aws/creds/user"} },
		"another namespace": func() []string { return []string{"-cache", "-namespace=team", "aws/sts/app"} },
		"another parameter": func() []string { return []string{"-cache", "aws/sts/app", "ttl=1h"} },
		"another token":     func() []string { v.accessor = "accessor-2"; return []string{"-cache", "aws/sts/app"} },
		"no cache":          func() []string { return []string{"aws/sts/app"} },
	} {
		before := v.reads
		if mustRun(t, other()...); v.reads != before+1 {
			t.Errorf("%s: answered by the cache", name)
		}
		v.accessor = "accessor-1"
	}
	if mustRun(t, "-cache", "aws/sts/app") != first {
		t.Error("the cache has lost the first session")
	}
	for path, text := range filesIn(t, home) {
		if strings.Contains(text, vaultToken) || strings.Contains(text, "accessor-1") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestCacheKeepsNoIAMUser(t *testing.T) {
	v, home := started(t)
	mustRun(t, "-cache", "-format=env", "aws/creds/user")
	mustRun(t, "-cache", "-format=env", "aws/creds/user")
	if files := filesIn(t, home); v.reads != 2 || len(files) != 0 {
		t.Errorf("%d reads, files %v", v.reads, files)
	}
}

func TestCacheOfATokenWithoutAccessor(t *testing.T) {
	v, _ := started(t)
	v.accessor = ""
	if code, _, stderr := ran(t, "-cache", "aws/sts/app"); code != 1 || !strings.Contains(stderr, "batch tokens") {
		t.Errorf("code %d, %s", code, stderr)
	}
}

// TestCacheHonoursTheEnd: an SDK would replace what it got at once.
func TestCacheHonoursTheEnd(t *testing.T) {
	for life, wantReads := range map[time.Duration]int{cacheMargin - time.Second: 2, cacheMargin + time.Hour: 1} {
		t.Run(life.String(), func(t *testing.T) {
			v, _ := started(t)
			v.life = life
			mustRun(t, "-cache", "aws/sts/app")
			mustRun(t, "-cache", "aws/sts/app")
			if v.reads != wantReads {
				t.Errorf("%d reads, want %d", v.reads, wantReads)
			}
		})
	}
}

// filesIn is the text of every file below a folder, by path.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
