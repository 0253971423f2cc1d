package awsclient_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// hostile is what a tenant's keys must not be led astray by: the environment of
// the server, which all mounts share.
func hostile(t *testing.T, endpoint string) map[string]string {
	t.Helper()
	garbage := mustWrite(t, "garbage", "[profile broken\nregion = eu-west-1\ncredential_process = /bin/false\n\x00")
	return map[string]string{
		"AWS_ENDPOINT_URL":                       endpoint,
		"AWS_ENDPOINT_URL_IAM":                   endpoint,
		"AWS_ENDPOINT_URL_STS":                   endpoint,
		"AWS_ACCESS_KEY_ID":                      "AKIAHOSTILE",
		"AWS_SECRET_ACCESS_KEY":                  "hostile",
		"AWS_SESSION_TOKEN":                      "hostile",
		"AWS_PROFILE":                            "hostile",
		"AWS_REGION":                             "cn-north-1",
		"AWS_DEFAULT_REGION":                     "cn-north-1",
		"AWS_CONFIG_FILE":                        garbage,
		"AWS_SHARED_CREDENTIALS_FILE":            garbage,
		"AWS_ROLE_ARN":                           "arn:aws:iam::999999999999:role/hostile",
		"AWS_WEB_IDENTITY_TOKEN_FILE":            garbage,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI":     endpoint,
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/hostile",
		"AWS_MAX_ATTEMPTS":                       "9",
		"AWS_RETRY_MODE":                         "hostile",
		"AWS_USE_FIPS_ENDPOINT":                  "true",
		"AWS_USE_DUALSTACK_ENDPOINT":             "true",
		"AWS_STS_REGIONAL_ENDPOINTS":             "legacy",
		"AWS_DEFAULTS_MODE":                      "mobile",
		"AWS_SDK_UA_APP_ID":                      "hostile",
		"AWS_EC2_METADATA_DISABLED":              "false",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT":      endpoint,
	}
}

func setenv(t *testing.T, variables map[string]string) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func mustWrite(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStaticKeysConsultNothingAmbient: neither who one is nor where one goes.
func TestStaticKeysConsultNothingAmbient(t *testing.T) {
	trap := newRecorder(t, answering(http.StatusForbidden, ""))
	setenv(t, hostile(t, trap.endpoint))

	t.Run("explicit endpoints", func(t *testing.T) {
		server := newRecorder(t, answering(http.StatusForbidden, ""))
		client := mustClient(t, server.settings())
		_, _ = client.ListAccessKeys(t.Context(), "vault-a")
		_, _ = client.Identity(t.Context())
		want := []request{
			{form: map[string][]string{"Action": {"ListAccessKeys"}, "UserName": {"vault-a"}}, scope: "us-east-1/iam", key: "AKIASTATIC"},
			{form: map[string][]string{"Action": {"GetCallerIdentity"}}, scope: "us-east-1/sts", key: "AKIASTATIC"},
		}
		if diff := cmp.Diff(want, server.seen(), cmp.AllowUnexported(request{})); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
	t.Run("resolved endpoints", func(t *testing.T) {
		outside.asked()
		client := mustClient(t, awsclient.Settings{AccessKey: "AKIASTATIC", SecretKey: "secret"})
		_, _ = client.ListAccessKeys(t.Context(), "vault-a")
		_, _ = client.Identity(t.Context())
		if diff := cmp.Diff([]string{"iam.amazonaws.com:443", "sts.us-east-1.amazonaws.com:443"}, outside.asked()); diff != "" {
			t.Errorf("hosts (-want +got):\n%s", diff)
		}
	})
	t.Run("number of attempts", func(t *testing.T) {
		server := newRecorder(t, answering(http.StatusServiceUnavailable, ""))
		_, _ = mustClient(t, server.settings()).ListAccessKeys(t.Context(), "vault-a")
		if got := len(server.seen()); got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
	})
	t.Run("source", func(t *testing.T) {
		got, err := mustClient(t, awsclient.Settings{AccessKey: "AKIASTATIC", SecretKey: "secret"}).Source(t.Context())
		if diff := cmp.Diff(awsclient.Source{Name: "config/root"}, got); diff != "" || err != nil {
			t.Errorf("Source: %v (-want +got):\n%s", err, diff)
		}
	})
	if got := trap.seen(); len(got) != 0 {
		t.Errorf("the environment got requests: %v", got)
	}
}

// TestAmbient: without keys the SDK's default chain decides on credentials,
// region and endpoints; explicit settings still come first.
func TestAmbient(t *testing.T) {
	t.Run("all of the environment", func(t *testing.T) {
		server := newRecorder(t, answering(http.StatusForbidden, ""))
		setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "cn-northwest-1", "AWS_ENDPOINT_URL": server.endpoint})
		mustSign(t, server, awsclient.Settings{}, "AKIAAMBIENT", "cn-north-1/iam", "cn-northwest-1/sts")
	})
	t.Run("settings come first", func(t *testing.T) {
		trap := newRecorder(t, answering(http.StatusForbidden, ""))
		server := newRecorder(t, answering(http.StatusForbidden, ""))
		setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "cn-northwest-1", "AWS_ENDPOINT_URL": trap.endpoint})
		settings := server.settings()
		settings.AccessKey, settings.SecretKey, settings.Region = "", "", "eu-west-1"
		mustSign(t, server, settings, "AKIAAMBIENT", "us-east-1/iam", "eu-west-1/sts")
		if got := trap.seen(); len(got) != 0 {
			t.Errorf("requests elsewhere: %v", got)
		}
	})
	t.Run("attempts of the environment", func(t *testing.T) {
		server := newRecorder(t, answering(http.StatusServiceUnavailable, ""))
		setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_MAX_ATTEMPTS": "2", "AWS_ENDPOINT_URL": server.endpoint})
		for retries, want := range map[int]int{-1: 2, 0: 1} {
			before := len(server.seen())
			_, _ = mustClient(t, awsclient.Settings{MaxRetries: retries}).ListAccessKeys(t.Context(), "vault-a")
			if got := len(server.seen()) - before; got != want {
				t.Errorf("with %d retries: %d requests, want %d", retries, got, want)
			}
		}
	})
	t.Run("redirects", func(t *testing.T) {
		elsewhere := newRecorder(t, answering(http.StatusOK, ""))
		server := newRecorder(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.endpoint, http.StatusFound)
		})
		setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.endpoint})
		_, _ = mustClient(t, awsclient.Settings{}).ListAccessKeys(t.Context(), "vault-a")
		if got := elsewhere.seen(); len(got) != 0 {
			t.Errorf("requests elsewhere: %v", got)
		}
	})
	t.Run("connections", func(t *testing.T) {
		cloud := newCloud(t, distant())
		cloud.PutUser(account, "vault-a", "")
		setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": cloud.Admin().AccessKey, "AWS_SECRET_ACCESS_KEY": cloud.Admin().SecretKey, "AWS_ENDPOINT_URL": cloud.endpoint})
		client := mustClient(t, awsclient.Settings{})
		for range 5 {
			mustList(t, client, "vault-a")
			_, err := client.Identity(t.Context())
			mustDo(t, err)
		}
		if got := cloud.connections.Load(); got != 1 {
			t.Errorf("%d connections, want 1", got)
		}
	})
	t.Run("a broken configuration", func(t *testing.T) {
		setenv(t, map[string]string{"AWS_CONFIG_FILE": mustWrite(t, "config", "[profile broken\n"), "AWS_PROFILE": "none"})
		_, err := awsclient.New(t.Context(), awsclient.Settings{})
		if err == nil || !strings.Contains(err.Error(), "read the server's AWS configuration") {
			t.Errorf("New: %v", err)
		}
	})
}

// mustSign makes a call to IAM and one to STS and compares who signed them for
// what.
func mustSign(t *testing.T, server *recorder, settings awsclient.Settings, key string, scopes ...string) {
	t.Helper()
	client := mustClient(t, settings)
	_, _ = client.ListAccessKeys(t.Context(), "vault-a")
	_, _ = client.Identity(t.Context())
	var got []string
	for _, r := range server.seen() {
		got = append(got, r.scope)
		if r.key != key {
			t.Errorf("signed by %q, want %q", r.key, key)
		}
	}
	if diff := cmp.Diff(scopes, got); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
}

// TestNoCredentials: the error says that there are none, and nothing is sent.
func TestNoCredentials(t *testing.T) {
	server := newRecorder(t, answering(http.StatusForbidden, ""))
	settings := server.settings()
	settings.AccessKey, settings.SecretKey = "", ""
	client := mustClient(t, settings)
	_, err := client.CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"})
	mustFail(t, err, failed{"iam:CreateUser", awserr.Denied, awserr.NoCredentials, 0})
	if !awserr.Refused(err) || !strings.Contains(err.Error(), "config/root holds no access_key") {
		t.Errorf("CreateUser: %v", err)
	}
	_, err = client.Identity(t.Context())
	mustFail(t, err, failed{"sts:GetCallerIdentity", awserr.Denied, awserr.NoCredentials, 0})
	source, err := client.Source(t.Context())
	mustFail(t, err, failed{"credentials", awserr.Denied, awserr.NoCredentials, 0})
	if diff := cmp.Diff(awsclient.Source{}, source); diff != "" {
		t.Errorf("Source (-want +got):\n%s", diff)
	}
	if got := server.seen(); len(got) != 0 {
		t.Errorf("requests: %v", got)
	}
}

// TestSource names where ambient credentials come from.
func TestSource(t *testing.T) {
	container := newRecorder(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}`)
	})
	sts := newRecorder(t, answering(http.StatusOK, result("AssumeRoleWithWebIdentity",
		"<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>")))
	for _, tc := range []struct {
		name string
		env  map[string]string
		want awsclient.Source
	}{
		{
			name: "keys in the environment",
			env:  map[string]string{"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s"},
			want: awsclient.Source{Name: "environment"},
		}, {
			name: "a session in the environment",
			env:  map[string]string{"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"},
			want: awsclient.Source{Name: "environment", Temporary: true},
		}, {
			name: "a credentials file",
			env:  map[string]string{"AWS_SHARED_CREDENTIALS_FILE": mustWrite(t, "credentials", "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s\n")},
			want: awsclient.Source{Name: "shared file"},
		}, {
			name: "a process",
			env: map[string]string{"AWS_CONFIG_FILE": mustWrite(t, "config",
				"[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}'\n")},
			want: awsclient.Source{Name: "process", Temporary: true},
		}, {
			name: "a container",
			env:  map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.endpoint},
			want: awsclient.Source{Name: "container", Temporary: true},
		}, {
			name: "a web identity",
			env: map[string]string{
				"AWS_WEB_IDENTITY_TOKEN_FILE": mustWrite(t, "token", "token"), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
				"AWS_ENDPOINT_URL_STS": sts.endpoint,
			},
			want: awsclient.Source{Name: "web identity", Temporary: true},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			setenv(t, tc.env)
			got, err := mustClient(t, awsclient.Settings{}).Source(t.Context())
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("Source: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestCABundle: AWS_CA_BUNDLE says whom to trust, for static keys as well; a
// broken one is named before anything is sent.
func TestCABundle(t *testing.T) {
	sim := awssim.New(awssim.Options{})
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of clients that do not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(sim.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	admin := sim.Admin()
	static := awsclient.Settings{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey, STS: []awsclient.Endpoint{{URL: server.URL}}}
	for name, settings := range map[string]awsclient.Settings{
		"static keys": static,
		"ambient":     {STS: static.STS},
	} {
		t.Run(name, func(t *testing.T) {
			setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": admin.AccessKey, "AWS_SECRET_ACCESS_KEY": admin.SecretKey})
			_, err := mustClient(t, settings).Identity(t.Context())
			mustFail(t, err, failed{"sts:GetCallerIdentity", awserr.Unavailable, "", 0})

			t.Setenv("AWS_CA_BUNDLE", mustWrite(t, "bundle.pem", string(certificate)))
			if _, err := mustClient(t, settings).Identity(t.Context()); err != nil {
				t.Errorf("with the bundle: %v", err)
			}
			for _, broken := range []string{mustWrite(t, "empty.pem", "no certificate"), filepath.Join(t.TempDir(), "none.pem")} {
				t.Setenv("AWS_CA_BUNDLE", broken)
				if _, err := awsclient.New(t.Context(), settings); err == nil || !strings.Contains(err.Error(), broken) || !strings.Contains(err.Error(), "AWS_CA_BUNDLE") {
					t.Errorf("New: %v, want an error that names AWS_CA_BUNDLE and %s", err, broken)
				}
			}
		})
	}
}
