package backend_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func metricsScenarios() []scenario {
	return []scenario{
		{"metrics: credentials, users and calls are counted", metricsCount},
		{"metrics: keys and rotations", metricsOfKeys},
		{"metrics: format=prometheus is raw text without a lease", metricsRaw},
		{"metrics: a format that is not known", metricsBadFormat},
		{"metrics: a standby answers for itself", metricsOfStandby},
		{"metrics: lifecycle events in the log", eventsLogged},
	}
}

// samples are the metrics in the text format of Prometheus, by name and labels.
func (m *mount) samples() map[string]string {
	m.Helper()
	got := m.mustRead("metrics", map[string]any{"format": "prometheus"})
	samples := make(map[string]string)
	for line := range strings.Lines(rawBody(m, got)) {
		if !strings.HasPrefix(line, "#") {
			at := strings.LastIndex(line, " ")
			samples[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return samples
}

// wantSamples compares some of the metrics; "" stands for one that is not there.
func (m *mount) wantSamples(want map[string]string) {
	m.Helper()
	all, got := m.samples(), make(map[string]string)
	for name := range want {
		got[name] = all[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("metrics (-want +got):\n%s\nall: %v", diff, all)
	}
}

func metricsCount(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", allPolicy)))
	m.mustWrite("roles/s", map[string]any{"credential_type": "session_token"})
	m.tick()
	m.tick()
	before := m.samples()
	if before[`vault_aws_credentials_issued_total{type="iam_user"}`] != "0" {
		m.Errorf("a counter that counted nothing is not there: %v", before)
	}
	secret := m.mustRead("creds/x").secret
	m.mustRead("creds/x")
	m.mustRead("sts/s")
	m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultThrottle})
	m.wantError(m.read("creds/x"), http.StatusBadGateway)
	m.sim.ClearFaults()
	m.wantError(m.read("creds/none"), http.StatusBadRequest)
	m.must(m.revoke(secret))
	m.wantSamples(map[string]string{
		`vault_aws_info{version="v0.0.1"}`:                                                             "1",
		`vault_aws_credentials_issued_total{type="iam_user"}`:                                          "2",
		`vault_aws_credentials_issued_total{type="session_token"}`:                                     "1",
		`vault_aws_credentials_issued_total{type="assumed_role"}`:                                      "0",
		`vault_aws_credentials_refused_total{reason="throttled",type="iam_user"}`:                      "1",
		`vault_aws_credentials_refused_total{reason="invalid",type="unknown"}`:                         "1",
		`vault_aws_credentials_refused_total{reason="internal",type="iam_user"}`:                       "0",
		`vault_aws_user_events_total{event="revoked"}`:                                                 "1",
		`vault_aws_user_events_total{event="condemned"}`:                                               "1",
		`vault_aws_user_events_total{event="rolled_back"}`:                                             "0",
		`vault_aws_users{state="issued"}`:                                                              "1",
		`vault_aws_users{state="condemned"}`:                                                           "0",
		`vault_aws_users_overdue`:                                                                      "0",
		`vault_aws_condemned_oldest_seconds`:                                                           "0",
		`vault_aws_rollbacks_pending`:                                                                  "0",
		`vault_aws_mount_state{state="draining"}`:                                                      "0",
		`vault_aws_api_throttled_total{account="root",api="iam"}`:                                      "1",
		`vault_aws_api_throttled_total{account="root",api="sts"}`:                                      "0",
		`vault_aws_governor_waiting{account="root",api="iam"}`:                                         "0",
		`vault_aws_governor_in_flight{account="root",api="iam"}`:                                       "0",
		`vault_aws_api_call_duration_seconds_count{action="iam:CreateUser",code="OK"}`:                 "2",
		`vault_aws_api_call_duration_seconds_count{action="iam:CreateUser",code="Throttling"}`:         "1",
		`vault_aws_api_call_duration_seconds_count{action="sts:GetSessionToken",code="OK"}`:            "1",
		`vault_aws_api_call_duration_seconds_bucket{action="sts:GetSessionToken",code="OK",le="+Inf"}`: "1",
		`vault_aws_root_key_age_seconds`:                                                               "",
	})
	m.mustWrite("tidy", map[string]any{"drain": true})
	m.wantSamples(map[string]string{`vault_aws_mount_state{state="draining"}`: "1"})
	m.wantSameFigures()
}

// wantSameFigures compares the plain answer with the registry: every metric of one
// is in the other.
func (m *mount) wantSameFigures() {
	m.Helper()
	names := map[string]bool{}
	for name := range m.samples() {
		name, _, _ = strings.Cut(name, "{")
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
		names[name] = true
	}
	plain := map[string]bool{}
	for name := range m.mustRead("metrics").data {
		plain[name] = true
	}
	if diff := cmp.Diff(names, plain); diff != "" {
		m.Errorf("names (-prometheus +plain):\n%s", diff)
	}
}

// metricsOfKeys: how old the root key is, and which rotations are overdue.
func metricsOfKeys(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("config/root", map[string]any{"rotation_period": "2h"})
	if got := m.rotate(); got.status != http.StatusOK {
		m.Fatalf("rotate-root: %d %s", got.status, got.error)
	}
	m.tick()
	m.tick()
	m.wantSamples(map[string]string{
		`vault_aws_rotations_total{key="static",result="rotated"}`: "1",
		`vault_aws_rotations_total{key="root",result="rotated"}`:   "1",
		`vault_aws_rotations_total{key="root",result="failed"}`:    "0",
		`vault_aws_rotations_overdue{key="static"}`:                "0",
		`vault_aws_rotations_overdue{key="root"}`:                  "0",
		`vault_aws_rotation_overdue_seconds{key="static"}`:         "0",
	})
	m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Code: "AccessDenied", Status: http.StatusForbidden})
	clock.advance(3 * time.Hour)
	m.tick()
	m.await("both rotations have been tried", func() bool {
		all := m.samples()
		return all[`vault_aws_rotations_total{key="static",result="failed"}`] != "0" && all[`vault_aws_rotations_total{key="root",result="failed"}`] != "0"
	})
	all := m.samples()
	for _, key := range []string{"static", "root"} {
		if all[`vault_aws_rotations_overdue{key="`+key+`"}`] != "1" {
			m.Errorf("no rotation of %s is overdue: %v", key, all)
		}
	}
	if age := all["vault_aws_root_key_age_seconds"]; !strings.HasPrefix(age, "108") {
		m.Errorf("the root key is %s s old, want three hours", age)
	}
}

func metricsRaw(m *mount) {
	m.configured()
	got := m.mustRead("metrics", map[string]any{"format": "prometheus"})
	if got.secret != nil {
		m.Errorf("a lease: %+v", got.secret)
	}
	if kind := got.data[logical.HTTPContentType]; kind != "text/plain; version=0.0.4; charset=utf-8" {
		m.Errorf("content type %v", kind)
	}
	problems, err := promlint.New(strings.NewReader(rawBody(m, got))).Lint()
	m.must(err)
	for _, p := range problems {
		m.Errorf("%s: %s", p.Metric, p.Text)
	}
	if plain := m.mustRead("metrics"); plain.secret != nil || len(plain.data) == 0 {
		m.Errorf("plain: %+v", plain)
	}
}

func metricsBadFormat(m *mount) {
	m.wantError(m.read("metrics", map[string]any{"format": "xml"}), http.StatusBadRequest, "format", "prometheus")
}

// metricsOfStandby: what only the active node knows is absent, not 0.
func metricsOfStandby(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.mustRead("creds/x")
	m.becomes(consts.ReplicationPerformanceStandby)
	m.wantSamples(map[string]string{
		`vault_aws_credentials_issued_total{type="iam_user"}`: "0",
		`vault_aws_users{state="issued"}`:                     "",
		`vault_aws_rollbacks_pending`:                         "",
		`vault_aws_rotations_overdue{key="static"}`:           "",
		`vault_aws_mount_state{state="draining"}`:             "",
	})
}

// eventsLogged: what the handlers tell, with the fields that an operator looks for.
func eventsLogged(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	req := &logical.Request{Operation: logical.ReadOperation, Path: "creds/x", Storage: m.storage, EntityID: "e-1", ID: "r-1"}
	resp, err := m.backend.HandleRequest(m.Context(), req)
	got := seen(req, resp, err)
	if got.status != http.StatusOK {
		m.Fatalf("creds: %d %s", got.status, got.error)
	}
	m.wantLogged("issued a credential", "event=issued", "type=iam_user", "role=x", "entity_id=e-1", "request_id=r-1", "access_key_id="+got.data["access_key"].(string), "user="+m.onlyUser().Name)
	m.wantError(m.read("creds/x", map[string]any{"format": "container"}), http.StatusBadRequest)
	m.wantLogged("refused a credential", "event=refused", "type=iam_user", "role=x", "reason=invalid")
	m.must(m.revoke(got.secret))
	m.wantLogged("revoked a user", "event=revoked", "entity_id=e-1", "request_id=r-1", "access_key_id="+got.data["access_key"].(string))
}

// wantLogged checks that a line of the log holds all words.
func (m *mount) wantLogged(words ...string) {
	m.Helper()
	for line := range strings.Lines(m.log.String()) {
		if containsAll(line, words) {
			return
		}
	}
	m.Errorf("the log has no line with %q:\n%s", words, m.log)
}

// TestDocumentedMetrics compares docs/observability.md with what there is.
func TestDocumentedMetrics(t *testing.T) {
	page, err := os.ReadFile("../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, d := range backend.DescribedMetrics() {
		labels := make([]string, len(d.Labels))
		for i, label := range d.Labels {
			labels[i] = "`" + label + "`"
		}
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", d.Name, d.Type, strings.Join(labels, ", ")))
	}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `vault_aws_") && len(cells) > 4 {
			got = append(got, strings.Join(cells[:4], "|")+"|")
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], "|  |", "| |")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/observability.md (-want +got):\n%s", diff)
	}
}

// TestMetricsOfManyMounts: fifty mounts in one process, each with its own.
func TestMetricsOfManyMounts(t *testing.T) {
	m := newMount(t, inProcess)
	m.configured().mustWrite("roles/x", plainUser())
	m.mustRead("creds/x")
	for range 50 {
		m.beside().wantSamples(map[string]string{`vault_aws_credentials_issued_total{type="iam_user"}`: "0"})
	}
	m.wantSamples(map[string]string{`vault_aws_credentials_issued_total{type="iam_user"}`: "1"})
}
