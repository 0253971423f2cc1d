package backend

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathDiagnose serves diagnose: what is wrong with the mount, and what to do.
func (b *Backend) pathDiagnose() *framework.Path {
	return &framework.Path{
		Pattern: "diagnose",
		Fields: map[string]*framework.FieldSchema{
			"role":   {Type: framework.TypeString, Query: true, Description: "Look at this role or static role only, beside the mount itself."},
			"assume": {Type: framework.TypeBool, Query: true, Description: "Prove trust policies: assume each IAM role for 15 minutes, with a session policy that denies everything. Default: false."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: activeOnly(operation(b.readDiagnose, "Find out what is wrong with the mount. Changes nothing.")),
		},
		HelpSynopsis:    "Find out what is wrong with the mount, and what to do about it.",
		HelpDescription: help("diagnose.txt"),
	}
}

// kept is how long an answer of diagnose is given again: a dashboard must not
// take AWS's rate from those who need credentials.
const kept = 10 * time.Second

// diagnoses has one diagnosis at a time made, and keeps the last of each kind.
type diagnoses struct {
	running lifecycle.KeyedLock
	mu      sync.Mutex
	last    map[string]diagnosis
}

type diagnosis struct {
	made   time.Time
	report diagnose.Report
}

// recent is the answer to the same question of a moment ago. It forgets older ones.
func (d *diagnoses) recent(question string, now time.Time) (diagnose.Report, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for other, old := range d.last {
		if age := now.Sub(old.made); age < 0 || age >= kept {
			delete(d.last, other)
		}
	}
	found, ok := d.last[question]
	return found.report, ok
}

func (d *diagnoses) keep(question string, made diagnosis) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		d.last = map[string]diagnosis{}
	}
	d.last[question] = made
}

// readDiagnose handles a read of diagnose.
func (b *Backend) readDiagnose(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	role, assume := d.Get("role").(string), d.Get("assume").(bool)
	unlock, err := b.diagnoses.running.Lock(ctx, "diagnose")
	if err != nil {
		return nil, err
	}
	defer unlock()
	question := fmt.Sprintf("%s %t", role, assume)
	report, ok := b.diagnoses.recent(question, b.options.Clock.Now())
	if !ok {
		m, err := b.diagnosed(ctx, req.Storage, role)
		if err != nil {
			return nil, err
		}
		m.Assume = assume
		report = diagnose.Run(governor.For(ctx, governor.Issue, "diagnose"), b.diagnosing(ctx, req.Storage, &m), m)
		b.diagnoses.keep(question, diagnosis{b.options.Clock.Now(), report})
	}
	return &logical.Response{Data: reportData(report)}, nil
}

// diagnosing is how AWS is asked; nil if no client can be made of config/root.
func (b *Backend) diagnosing(ctx context.Context, storage logical.Storage, m *diagnose.Mount) diagnose.AWS {
	root, err := b.root(ctx, storage)
	if err != nil {
		m.Unusable = err
		return nil
	}
	return root
}

func reportData(r diagnose.Report) map[string]any {
	findings, unchecked, endpoints := []map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, f := range r.Findings {
		findings = append(findings, map[string]any{"severity": string(f.Severity), "check": f.Check, "subject": f.Subject, "problem": f.Problem, "remedy": f.Remedy})
	}
	for _, u := range r.Unchecked {
		unchecked = append(unchecked, map[string]any{"check": u.Check, "subject": u.Subject, "reason": u.Reason})
	}
	for _, e := range r.Endpoints {
		endpoints = append(endpoints, map[string]any{
			"service": e.Service, "region": e.Region, "host": e.Host, "reached": e.Reached, "problem": e.Problem,
			"latency_ms": e.Latency.Milliseconds(), "clock_skew": int64(e.Skew.Seconds()),
		})
	}
	return map[string]any{
		"time": moment(r.Time), "identity": identityData(r), "endpoints": endpoints, "findings": findings, "more_findings": r.More,
		"not_checked": unchecked, "roles_checked": r.Roles, "roles_not_checked": r.RolesLeft, "errors": r.Errors(), "report": r.Text(),
	}
}

func identityData(r diagnose.Report) map[string]any {
	who := r.Identity
	data := map[string]any{
		"account": who.Account, "arn": who.ARN, "partition": who.Partition, "kind": who.Kind, "credential_source": who.Source,
		"temporary": who.Temporary, "chained": who.Chained(), "access_key": who.AccessKey,
		"access_key_created": moment(who.KeyCreated), "access_key_age_days": nil,
	}
	if !who.KeyCreated.IsZero() {
		data["access_key_age_days"] = int(r.Time.Sub(who.KeyCreated).Hours() / 24)
	}
	return data
}
