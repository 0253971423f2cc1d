package awssim

import (
	"testing"

	"vault-plugin-secrets-aws/backend/policy"
)

// FuzzMerge judges the engine's merge by what it means: merged policies say of
// every question what AWS says of the policies side by side, a Deny of either
// before an Allow of either. So a merge neither widens nor narrows.
func FuzzMerge(f *testing.F) {
	const ec2 = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`
	for _, seed := range [][2]string{
		{ec2, `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Action":"ec2:Run*","Resource":"*"}]}`},
		{ec2, `{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::123456789012:user/${aws:username}"}}`},
		{`{"Version":"2008-10-17","Statement":{"Effect":"Allow","NotAction":"s3:*","NotResource":"${aws:username}"}}`, ``},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":["${*}","${aws:username}"]}}}}`, ec2},
	} {
		f.Add(seed[0], seed[1], "ec2:RunInstances", "arn:aws:iam::123456789012:user/${aws:username}")
	}
	f.Fuzz(func(t *testing.T, a, b, action, resource string) {
		first, okA := judge(a)
		second, okB := judge(b)
		merged, err := policy.Merge(a, b)
		if !okA || !okB || err != nil || merged == "" {
			return
		}
		together, ok := judge(merged)
		if !ok {
			t.Fatalf("AWS takes both documents and not the merged one: %s", merged)
		}
		for _, q := range questions(action, resource) {
			if got, want := together(q), both(first(q), second(q)); got != want {
				t.Errorf("%s on %s: %v, side by side %v\n%s", q.action, q.resource, got, want, merged)
			}
		}
	})
}

// judge is what a document says; nothing, if there is none. ok is false of what
// AWS does not take.
func judge(document string) (says func(ask) decision, ok bool) {
	if document == "" {
		return func(ask) decision { return implicitDeny }, true
	}
	text, err := parseIdentityPolicy(document)
	if err != nil {
		return nil, false
	}
	return text.doc.decide, true
}

func both(a, b decision) decision {
	switch {
	case a == explicitDeny || b == explicitDeny:
		return explicitDeny
	case a == allowed || b == allowed:
		return allowed
	}
	return implicitDeny
}

// questions ask for what the fuzzer thinks of, and for what policies name.
func questions(action, resource string) (all []ask) {
	for _, act := range []string{action, "ec2:RunInstances", "iam:GetUser", "s3:GetObject"} {
		for _, on := range []string{resource, "*", "${aws:username}", "arn:aws:iam::123456789012:user/ada"} {
			for _, name := range []string{"ada", resource} {
				all = append(all, ask{act, on, contextKeys{"aws:username": {name}, "aws:tagkeys": {action, resource}}})
			}
		}
	}
	return all
}
