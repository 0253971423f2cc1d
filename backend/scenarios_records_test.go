package backend_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func recordScenarios() []scenario {
	return []scenario{
		{"users: a user is listed, read and looked up, with who asked for it", userIsRemembered},
		{"users: lists by role and page", userPages},
		{"users: bad input", func(m *mount) {
			m.wantError(m.write("lookup", nil), http.StatusBadRequest, "access_key is missing")
			m.wantError(m.request(m.Context(), logical.ListOperation, "users", map[string]any{"limit": 0}), http.StatusBadRequest, "limit")
			m.wantError(m.read("users/nobody"), http.StatusNotFound)
		}},
		{"users: operator paths need sudo", func(m *mount) {
			if diff := cmp.Diff([]string{"users", "users/*", "lookup", "tidy", "tidy-status", "tidy-cancel", "metrics", "config/iam-policy", "diagnose"}, m.backend.SpecialPaths().Root); diff != "" {
				m.Errorf("root paths (-want +got):\n%s", diff)
			}
		}},
		{"users: a user that AWS does not let go is condemned, and destroyed by the worker", condemnedGoes},
		{"users: a condemned user is not renewed", condemnedIsNotRenewed},
		{"users: a lost lease does not leave a key alive for ever", lostLease},
		{"users: renewing moves the deadline, as Vault's core reckons it", renewMovesDeadline},
		{"users: a lease of the built-in engine gets a record at its first renewal", builtinLeaseIsRecorded},
		{"users: an unreadable record keeps no user alive", unreadableRecord},
		{"max_users: of a role and of the mount, as 429", caps},
		{"expiry policy: denies everything after the latest end of the lease", expiryPolicy},
		{"expiry policy: a renewal past it is refused", expiryRenewal},
		{"expiry policy: counts against the quota of inline policies", func(m *mount) {
			big := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:::%s"}]}`, strings.Repeat("x", 1800))
			warnings := m.configured().mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": big, "expiry_policy": true})
			m.wantWarning(warnings, "expiry policy", "2048")
			m.wantError(m.read("creds/x"), http.StatusBadRequest, "expiry policy", "2048", "policy_arns")
			m.wantUsers(0)
		}},
		{"owner tags: ride in CreateUser; roles cannot set their like", ownerTags},
		{"tidy: nothing selected, or without owner tags", func(m *mount) {
			m.configured()
			m.wantError(m.write("tidy", nil), http.StatusBadRequest, "nothing is selected")
			m.wantError(m.write("tidy", map[string]any{"tidy_unknown_users": true}), http.StatusBadRequest, "iam_owner_tags")
			m.wantError(m.write("tidy", map[string]any{"tidy_records": true, "max_deletes": -1}), http.StatusBadRequest, "max_deletes")
			m.wantError(m.write("tidy-cancel", nil), http.StatusBadRequest, "not running")
		}},
		{"tidy: an unknown user of ours is reported, then destroyed", tidyUnknown},
		{"tidy: max_deletes and safety_buffer", tidyLimits},
		{"tidy: what hangs on a leased user is reported and left", tidyReports},
		{"tidy: a list that is refused ends the pass with nothing changed", tidyThrottled},
		{"tidy: records of users that are gone are forgotten", tidyRecords},
		{"tidy: the root credentials of another account forget nothing", tidyOtherAccount},
		{"tidy: a user of a later incarnation stops what goes by itself", tidyRestored},
		{"tidy: can be cancelled", tidyCancelled},
		{"drain: no new users; what is owed is finished", drain},
	}
}

func userIsRemembered(m *mount) {
	got := m.configured().issued(plainUser())
	name := m.users()[0]
	listed, _ := m.userList(nil)
	if diff := cmp.Diff([]string{name}, listed); diff != "" {
		m.Errorf("users (-want +got):\n%s", diff)
	}
	r := plain(m, m.mustRead("users/"+name).data)
	for field, want := range map[string]any{
		"user_name": name, "state": "issued", "role": "x", "display_name": "token-tester", "account": m.admin.Account,
		"access_key": got.data["access_key"], "policy_names": []any{"x"}, "key_deleted": false,
	} {
		if diff := cmp.Diff(want, r[field]); diff != "" {
			m.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	found := m.write("lookup", map[string]any{"access_key": got.data["access_key"]})
	if diff := cmp.Diff(r, plain(m, found.data)); diff != "" {
		m.Errorf("lookup (-read +lookup):\n%s", diff)
	}
	m.must(m.revoke(got.secret))
	m.wantError(m.read("users/"+name), http.StatusNotFound)
	m.await("the records are read", func() bool { return m.mustRead("tidy-status").data["records_complete"] == true })
	m.wantError(m.write("lookup", map[string]any{"access_key": got.data["access_key"]}), http.StatusBadRequest, "belongs to no IAM user")
}

func userPages(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.mustWrite("roles/y", plainUser())
	for range 3 {
		m.mustRead("creds/x")
	}
	m.mustRead("creds/y")
	m.await("the records are read", func() bool { return m.mustRead("tidy-status").data["records_complete"] == true })
	all, _ := m.userList(map[string]any{"role": "x"})
	first, warnings := m.userList(map[string]any{"role": "x", "limit": 2})
	m.wantWarning(warnings, "1 more", "after="+first[1])
	rest, _ := m.userList(map[string]any{"role": "x", "limit": 2, "after": first[1]})
	if diff := cmp.Diff(all, append(slices.Clone(first), rest...)); diff != "" || len(first) != 2 {
		m.Errorf("pages (-all +pages):\n%s", diff)
	}
}

func (m *mount) userList(query map[string]any) (names, warnings []string) {
	m.Helper()
	got := m.request(m.Context(), logical.ListOperation, "users", query)
	for _, name := range plain(m, got.data)["keys"].([]any) {
		names = append(names, name.(string))
	}
	return names, got.warnings
}

func condemnedGoes(m *mount) {
	got := m.configured().issued(plainUser())
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	if err := m.revoke(got.secret); err == nil || !strings.Contains(err.Error(), "its access keys are deleted, but") {
		m.Errorf("revoke: %v", err)
	}
	r := m.mustRead("users/" + m.users()[0]).data
	if r["state"] != "condemned" || r["key_deleted"] != true || !strings.Contains(r["last_error"].(string), "AccessDenied") {
		m.Errorf("record: %v", r)
	}
	m.sim.ClearFaults()
	m.ageRecords(time.Minute)
	m.tick()
	m.wantUsers(0)
	if left := m.records(); len(left) != 0 {
		m.Errorf("records: %v", left)
	}
}

func condemnedIsNotRenewed(m *mount) {
	got := m.configured().issued(plainUser())
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	if err := m.revoke(got.secret); err == nil {
		m.Error("the revoke succeeded")
	}
	if _, err := m.renew(got.secret); err == nil || !strings.Contains(err.Error(), "being destroyed") {
		m.Errorf("renew: %v", err)
	}
}

func lostLease(m *mount) {
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	m.issued(plainUser())
	m.ageRecords(90 * time.Minute)
	m.restart()
	m.tick()
	m.tick()
	m.wantUsers(1) // within the grace
	m.ageRecords(31 * time.Minute)
	m.tick()
	m.tick()
	m.wantUsers(0)
}

// restart makes the mount anew, as a process that died is.
func (m *mount) restart() {
	m.Helper()
	m.backend.Cleanup(context.WithoutCancel(m.Context()))
	m.reload()
}

func renewMovesDeadline(m *mount) {
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "3h"})
	got := m.issued(plainUser())
	name := m.users()[0]
	for _, tc := range []struct{ increment, want time.Duration }{{0, time.Hour}, {2 * time.Hour, 2 * time.Hour}, {9 * time.Hour, 3 * time.Hour}} {
		secret := throughJSON(got.secret)
		secret.IssueTime, secret.Increment = time.Now(), tc.increment
		_, err := m.renew(secret)
		m.must(err)
		if left := time.Until(m.records()[name].Deadline); left > tc.want+time.Second || left < tc.want-time.Minute {
			m.Errorf("increment %s: the deadline is %s from now, want %s", tc.increment, left, tc.want)
		}
	}
}

func builtinLeaseIsRecorded(m *mount) {
	m.configured().sim.PutUser(m.admin.Account, "vault-old", ec2Policy)
	secret := &logical.Secret{
		LeaseOptions: logical.LeaseOptions{IssueTime: time.Now().Add(-time.Hour)},
		InternalData: map[string]any{"secret_type": "access_keys", "username": "vault-old", "is_sts": false},
	}
	_, err := m.renew(secret)
	m.must(err)
	if r := m.records()["vault-old"]; r.State != lifecycle.Issued || r.Deadline.Before(time.Now()) {
		m.Errorf("record: %+v", r)
	}
	m.must(m.revoke(secret))
	m.wantUsers(0)
	if left := m.records(); len(left) != 0 {
		m.Errorf("records: %v", left)
	}
}

func unreadableRecord(m *mount) {
	got := m.configured().issued(plainUser())
	m.must(m.storage.Storage.Put(m.Context(), &logical.StorageEntry{Key: "users/" + m.users()[0], Value: []byte("{")}))
	m.must(m.revoke(got.secret))
	m.wantUsers(0)
}

func caps(m *mount) {
	m.mustWrite("config/root", with(m.rootConfig(m.admin), "max_users", 2))
	m.mustWrite("roles/x", with(plainUser(), "max_users", 1))
	m.mustWrite("roles/y", plainUser())
	got := m.mustRead("creds/x")
	m.wantError(m.read("creds/x"), http.StatusTooManyRequests, `max_users of role "x"`, "1 IAM users")
	m.mustRead("creds/y")
	m.wantError(m.read("creds/y"), http.StatusTooManyRequests, "max_users of this mount")
	m.wantUsers(2)
	m.must(m.revoke(got.secret))
	m.mustRead("creds/x")
	m.wantError(m.write("roles/z", with(plainUser(), "max_users", -1)), http.StatusBadRequest, "max_users")
	m.wantError(m.write("roles/z", map[string]any{"credential_type": "session_token", "max_users": 1}), http.StatusBadRequest, "max_users", "iam_user")
	m.wantError(m.write("config/root", map[string]any{"max_users": -1}), http.StatusBadRequest, "max_users")
}

// with is a request with one more field.
func with(data map[string]any, field string, value any) map[string]any {
	data[field] = value
	return data
}

func expiryPolicy(m *mount) {
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	got := m.issued(with(plainUser(), "expiry_policy", true))
	document := m.onlyUser().InlinePolicies["vault-aws-expiry"]
	ends := time.Now().UTC().Add(3 * time.Hour)
	if !strings.Contains(document, ends.Format("2006-01-02T15")) {
		m.Errorf("policy %s does not end at about %s", document, ends)
	}
	self := awssim.Credentials{AccessKey: got.data["access_key"].(string), SecretKey: got.data["secret_key"].(string)}
	client := iam.NewFromConfig(simtest.Config(m.endpoint, self))
	if _, err := client.CreateAccessKey(m.Context(), &iam.CreateAccessKeyInput{}); err == nil || !strings.Contains(err.Error(), "explicit deny") {
		m.Errorf("CreateAccessKey by the user itself: %v", err)
	}
	if r := m.records()[m.users()[0]]; !slices.Contains(r.Policies, "vault-aws-expiry") {
		m.Errorf("record: %+v", r)
	}
	m.must(m.revoke(got.secret))
	m.wantUsers(0)
}

func expiryRenewal(m *mount) {
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	got := m.issued(with(plainUser(), "expiry_policy", true))
	m.mustWrite("config/lease", map[string]any{"lease": "5h", "lease_max": "9h"})
	if _, err := m.renew(got.secret); err == nil || !strings.Contains(err.Error(), "expiry policy") {
		m.Errorf("renew: %v", err)
	}
}

func ownerTags(m *mount) {
	m.mustWrite("config/root", with(m.rootConfig(m.admin), "iam_owner_tags", true))
	m.issued(with(plainUser(), "iam_tags", "team=a"))
	status := m.mustRead("tidy-status").data
	tags := m.onlyUser().Tags
	want := map[string]string{"team": "a", "vault-aws:owner": status["owner"].(string), "vault-aws:incarnation": "1", "vault-aws:role": "x", "vault-aws:request": ""}
	if diff := cmp.Diff(want, tags); diff != "" {
		m.Errorf("tags (-want +got):\n%s", diff)
	}
	m.wantError(m.write("roles/y", with(plainUser(), "iam_tags", "Vault-AWS:owner=me")), http.StatusBadRequest, "iam_tags", "vault-aws:")
	many := make([]string, 47)
	for i := range many {
		many[i] = fmt.Sprintf("k%d=v", i)
	}
	m.mustWrite("roles/y", with(plainUser(), "iam_tags", many))
	m.wantError(m.read("creds/y"), http.StatusBadRequest, "47 iam_tags", "room for 46")
	m.wantUsers(1)
}

// orphaned is a mount with owner tags and one user that nothing names any more.
func (m *mount) orphaned() (orphan string) {
	m.Helper()
	m.mustWrite("config/root", with(m.rootConfig(m.admin), "iam_owner_tags", true))
	m.issued(plainUser())
	orphan = m.users()[0]
	m.must(m.storage.Storage.Delete(m.Context(), "users/"+orphan))
	m.restart()
	return orphan
}

// tidied runs a pass and returns what it found.
func (m *mount) tidied(fields map[string]any) map[string]any {
	m.Helper()
	m.mustWrite("tidy", fields)
	m.await("tidy ends", func() bool { return m.mustRead("tidy-status").data["state"] != "running" })
	return plain(m, m.mustRead("tidy-status").data)
}

func (m *mount) wantFinding(status map[string]any, user string, words ...string) {
	m.Helper()
	for _, f := range status["findings"].([]any) {
		found := f.(map[string]any)
		if found["user"] == user && containsAll(found["finding"].(string), words) {
			return
		}
	}
	m.Errorf("findings = %v, want one of %q with %q", status["findings"], user, words)
}

func tidyUnknown(m *mount) {
	orphan := m.orphaned()
	m.sim.PutUser(m.admin.Account, "somebody", ec2Policy)
	fields := map[string]any{"tidy_unknown_users": true, "safety_buffer": 0}
	status := m.tidied(fields)
	m.wantFinding(status, orphan, "named by nothing")
	m.wantUsers(2)
	status = m.tidied(with(fields, "dry_run", false))
	if status["users_deleted"] != 1 || status["state"] != "finished" {
		m.Errorf("status: %v", status)
	}
	if diff := cmp.Diff([]string{"somebody"}, m.users()); diff != "" {
		m.Errorf("users (-want +got):\n%s", diff)
	}
}

func tidyLimits(m *mount) {
	orphan := m.orphaned()
	status := m.tidied(map[string]any{"tidy_unknown_users": true, "dry_run": false})
	m.wantFinding(status, orphan, "younger than safety_buffer")
	status = m.tidied(map[string]any{"tidy_unknown_users": true, "dry_run": false, "safety_buffer": 0, "max_deletes": 0})
	m.wantFinding(status, "", "1 more", "max_deletes")
	m.wantUsers(1)
}

func tidyReports(m *mount) {
	m.mustWrite("config/root", with(m.rootConfig(m.admin), "iam_owner_tags", true))
	m.issued(plainUser())
	user := m.users()[0]
	ctx, client := m.Context(), m.iam()
	_, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	m.must(err)
	_, err = client.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &user, Password: aws.String("Correct-horse-9")})
	m.must(err)
	_, err = client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: aws.String("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")})
	m.must(err)
	_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user, PolicyName: aws.String("theirs"), PolicyDocument: aws.String(ec2Policy)})
	m.must(err)
	before := m.onlyUser()
	status := m.tidied(map[string]any{"tidy_unknown_users": true, "safety_buffer": 0, "dry_run": false})
	m.wantFinding(status, user, "access key", "not from this mount")
	m.wantFinding(status, user, "login profile")
	m.wantFinding(status, user, "exposed key")
	m.wantFinding(status, user, `inline policy "theirs"`)
	if diff := cmp.Diff(before, m.onlyUser()); diff != "" {
		m.Errorf("tidy changed a leased user:\n%s", diff)
	}
}

func tidyThrottled(m *mount) {
	m.orphaned()
	for _, action := range []string{"iam:ListUsers", "iam:ListUserTags"} {
		m.sim.Inject(awssim.Fault{Action: action, Kind: awssim.FaultThrottle})
		status := m.tidied(map[string]any{"tidy_unknown_users": true, "tidy_records": true, "safety_buffer": 0, "dry_run": false})
		if status["state"] != "failed" || !strings.Contains(status["error"].(string), action) {
			m.Errorf("%s: state %v, error %v", action, status["state"], status["error"])
		}
		m.sim.ClearFaults()
		m.wantUsers(1)
	}
}

// onlyRecord is the name of the one user that has a record.
func (m *mount) onlyRecord() string {
	m.Helper()
	names := slices.Collect(maps.Keys(m.records()))
	if len(names) != 1 {
		m.Fatalf("records = %v, want one", names)
	}
	return names[0]
}

func tidyRecords(m *mount) {
	m.configured().issued(plainUser())
	m.humanDeletes(m.onlyUser())
	m.ageRecords(time.Hour)
	fields := map[string]any{"tidy_records": true}
	m.wantFinding(m.tidied(fields), m.onlyRecord(), "gone from AWS")
	if len(m.records()) != 1 {
		m.Error("a dry run forgot a record")
	}
	if status := m.tidied(with(fields, "dry_run", false)); status["records_forgotten"] != 1 || len(m.records()) != 0 {
		m.Errorf("status: %v; records %v", status, m.records())
	}
	m.wantError(m.write("tidy", map[string]any{"forget": "nobody"}), http.StatusBadRequest, "forget", "no record")
	m.mustRead("creds/x")
	name := m.users()[0]
	m.mustWrite("tidy", map[string]any{"forget": name})
	if len(m.records()) != 0 {
		m.Error("forget left the record")
	}
	m.wantUsers(1)
}

func tidyOtherAccount(m *mount) {
	m.configured().issued(plainUser())
	m.ageRecords(time.Hour)
	other := m.sim.AddAccount("222222222222")
	m.mustWrite("config/root", m.rootConfig(other))
	m.tidied(map[string]any{"tidy_records": true, "dry_run": false})
	if len(m.records()) != 1 {
		m.Error("a record was forgotten although its user is in another account")
	}
}

// tidyRestored: users of later incarnations stop what goes by itself, until the
// operator's word, which ends that for good.
func tidyRestored(m *mount) {
	m.mustWrite("config/root", with(m.rootConfig(m.admin), "iam_owner_tags", true))
	m.startedAgain()
	m.startedAgain()
	leased := m.issued(plainUser())
	m.startedAgain()
	m.mustRead("creds/x")
	for _, orphan := range m.users() {
		m.must(m.storage.Storage.Delete(m.Context(), "users/"+orphan))
	}
	m.takeBack(1)
	m.restart()
	destroy := map[string]any{"tidy_unknown_users": true, "safety_buffer": 0, "dry_run": false}
	status := m.tidied(destroy)
	if status["state"] != "failed" || !strings.Contains(status["restored"].(string), "was made in incarnation") {
		m.Errorf("status: %v", status)
	}
	m.wantUsers(2)
	m.wantError(m.write("config/rotate-root", nil), http.StatusServiceUnavailable, "confirm_restore")
	m.must(m.revoke(leased.secret))
	m.wantUsers(1)
	m.mustWrite("tidy", map[string]any{"confirm_restore": true})
	if status := m.tidied(destroy); status["state"] != "finished" || status["restored"] != "" {
		m.Errorf("status: %v", status)
	}
	m.wantUsers(0)
}

// startedAgain begins the next incarnation of the mount.
func (m *mount) startedAgain() {
	m.Helper()
	m.restart()
	m.mustRead("tidy-status")
}

// takeBack takes the stored state back to an earlier incarnation.
func (m *mount) takeBack(incarnation int) {
	m.Helper()
	entry, err := m.storage.Storage.Get(m.Context(), "journal/mount")
	m.must(err)
	var state lifecycle.MountState
	m.must(entry.DecodeJSON(&state))
	state.Incarnation = incarnation
	m.put("journal/mount", state)
}

func tidyCancelled(m *mount) {
	m.configured()
	m.sim.Inject(awssim.Fault{Action: "iam:ListUsers", Kind: awssim.FaultHang})
	m.mustWrite("tidy", map[string]any{"tidy_records": true})
	m.wantError(m.write("tidy", map[string]any{"tidy_records": true}), http.StatusBadRequest, "running already")
	m.mustWrite("tidy-cancel", nil)
	m.await("tidy ends", func() bool { return m.mustRead("tidy-status").data["state"] == "cancelled" })
}

func drain(m *mount) {
	clock := m.hurried()
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	leased := m.issued(plainUser())
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	condemned := m.mustRead("creds/x")
	if err := m.revoke(condemned.secret); err == nil {
		m.Error("the revoke succeeded")
	}
	m.mustWrite("tidy", map[string]any{"drain": true})
	m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, "drained", "drain=false")
	if status := m.mustRead("tidy-status").data; status["drained"] != false || status["draining"] != true {
		m.Errorf("status: %v", status)
	}
	m.sim.ClearFaults()
	clock.advance(time.Minute)
	m.await("the mount is drained", func() bool { return m.mustRead("tidy-status").data["drained"] == true })
	m.wantUsers(1)
	m.must(m.revoke(leased.secret))
	m.wantUsers(0)
	m.mustWrite("tidy", map[string]any{"drain": false})
	m.mustRead("creds/x")
}
