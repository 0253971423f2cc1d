package endurance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"vault-plugin-secrets-aws/internal/devstack"
)

// refusals counts what was not answered by a 2xx, by kind.
type refusals struct {
	mu    sync.Mutex
	kinds map[string]int
}

// variable is what differs between two refusals of a kind.
var variable = regexp.MustCompile(`vault-[\w-]+|AKIA\w+|[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+|aws/creds/\w+/\w+|/tmp/plugin\d+|about \d+ calls|\d+ wait|about \d+s`)

// add notes one.
func (r *refusals) add(what string, answer devstack.Answer, err error) {
	text := fmt.Sprintf("%s: %d %s", what, answer.Status, strings.TrimSpace(string(answer.Body)))
	if err != nil {
		text = fmt.Sprintf("%s: %v", what, err)
	}
	text = variable.ReplaceAllString(text, "…")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = map[string]int{}
	}
	r.kinds[text]++
}

// texts are the kinds, with how often each was met.
func (r *refusals) texts() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for text, count := range r.kinds {
		out = append(out, fmt.Sprintf("%d × %s", count, text))
	}
	slices.Sort(out)
	return out
}

// count is how many there were.
func (r *refusals) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, count := range r.kinds {
		n += count
	}
	return n
}
