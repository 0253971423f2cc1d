package awssim

import (
	"net/http"
	"slices"
)

// What a session may carry. AWS does not disclose its packed budget; these
// are estimates from reports: nine tags of 250 characters took 498 %
// (containers-roadmap#2413), while a policy of 2,048 characters fits.
const (
	packedTagBudget    = 460  // characters of keys and values
	packedPolicyBudget = 4096 // characters of the policy, white space not counted
	packedPerARN       = 2    // percent
	packedBase         = 1    // percent
)

// sessionInput reads the call's session policies and tags into a session, and
// returns how much of AWS's budget they take, in percent.
func (c *call) sessionInput(s *session) (int, error) {
	if err := c.readPolicies(s); err != nil {
		return 0, err
	}
	tags, err := checkTags(c.in.tags("Tags"))
	if err != nil {
		return 0, err
	}
	s.tags, s.transitive = tags, c.in.list("TransitiveTagKeys")
	for _, key := range s.transitive {
		if !slices.ContainsFunc(tags, func(t tag) bool { return fold(t.key) == fold(key) }) {
			return 0, validationError("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return c.packedSize(tags)
}

// readPolicies reads Policy and PolicyArns. The managed policies are those of
// the session's account.
func (c *call) readPolicies(s *session) error {
	if raw := c.in.text("Policy"); raw != "" {
		text, err := parsePolicy(raw, sessionRules())
		if err != nil {
			return err
		}
		s.limited, s.policies = true, append(s.policies, text)
	}
	for _, element := range c.in.elements("PolicyArns") {
		arn := c.in.text(element + ".arn")
		p := s.account.policy(arn)
		if p == nil {
			return validationError("PolicyArn %s is invalid or does not exist.", arn)
		}
		s.limited, s.policies = true, append(s.policies, p.text())
	}
	return nil
}

// packedSize estimates PackedPolicySize and refuses what does not fit.
func (c *call) packedSize(tags []tag) (int, error) {
	characters := 0
	for _, t := range tags {
		characters += len(t.key) + len(t.value)
	}
	ofTags := characters * 100 / packedTagBudget
	ofPolicy := compactSize(c.in.text("Policy"))*100/packedPolicyBudget + packedPerARN*len(c.in.elements("PolicyArns"))
	if ofTags > 100 {
		return 0, refuse("PackedPolicyTooLarge", http.StatusBadRequest, "Packed size of session tags consumes %d%% of allotted space.", ofTags)
	}
	total := packedBase + ofTags + ofPolicy
	if total > 100 {
		return 0, refuse("PackedPolicyTooLarge", http.StatusBadRequest, "Packed policy consumes %d%% of allotted space, please use smaller policy.", total)
	}
	return total, nil
}
