package diagnose

import (
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

type keyInfo = lifecycle.KeyInfo

// identityShown is who the mount is, as far as AWS told.
func (q *inquiry) identityShown() Identity {
	who := Identity{
		Account: q.root.Account, ARN: q.identity.value.ARN, Partition: q.root.Partition, Kind: q.kind(),
		Source: q.source.value.Name, Temporary: q.source.value.Temporary, AccessKey: q.Config.AccessKey,
	}
	for _, key := range q.keys.value {
		if key.ID == q.Config.AccessKey {
			who.KeyCreated = key.Created
		}
	}
	return who
}

func (q *inquiry) kind() string {
	switch {
	case q.root.AccountRoot():
		return "account root user"
	case q.root.UserName != "":
		return "IAM user"
	case q.root.RoleName != "":
		return "assumed role"
	case strings.Contains(q.root.ARN, ":federated-user/"):
		return "federated user"
	}
	return ""
}

func (q *inquiry) endpointsShown() (shown []Endpoint) {
	for _, e := range q.reached {
		s := Endpoint{Service: e.Service, Region: e.Region, Host: e.place(), Reached: e.Answer, Latency: e.Latency, Skew: e.Skew}
		if !e.Answer && e.Err != nil {
			s.Problem = e.Err.Error()
		}
		shown = append(shown, s)
	}
	return shown
}

// Text is the report for a terminal.
func (r Report) Text() string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("%s %s", or(r.Identity.Kind, "unknown"), or(r.Identity.ARN, "(AWS does not tell who the root credentials are)"))
	line("credentials: %s%s", or(r.Identity.Source, "none"), r.Identity.age(r.Time))
	for _, e := range r.Endpoints {
		line("%s %s: %s", e.Service, e.Host, e.state())
	}
	line("roles looked at: %d", r.Roles)
	for _, f := range r.Findings {
		line("%s  %s: %s\n    -> %s", strings.ToUpper(string(f.Severity)), f.Subject, f.Problem, f.Remedy)
	}
	for _, u := range r.Unchecked {
		line("not checked  %s: %s", u.Subject, u.Reason)
	}
	line("%d errors, %d warnings, %d not checked", r.Errors(), len(r.Findings)-r.Errors(), len(r.Unchecked))
	return out.String()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (i Identity) age(now time.Time) string {
	text := ""
	if i.AccessKey != "" {
		text = ", access key " + i.AccessKey
	}
	if !i.KeyCreated.IsZero() {
		text += fmt.Sprintf(", %d days old", int(now.Sub(i.KeyCreated).Hours()/24))
	}
	if i.Temporary {
		text += ", temporary"
	}
	return text
}

func (e Endpoint) state() string {
	if !e.Reached {
		return "no answer"
	}
	return fmt.Sprintf("%d ms, clock %+d s", e.Latency.Milliseconds(), int(e.Skew.Seconds()))
}
