package awssim

import (
	"net/http"
	"slices"
	"strings"
)

// maxTags is IAM's quota of tags on a user or role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxTags = 50

// checkTags adds tags to those that are there and refuses what AWS refuses.
// Keys that differ in case only are the same key.
func checkTags(old, more []tag) ([]tag, error) {
	seen := map[string]bool{}
	for _, t := range more {
		if seen[fold(t.key)] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(fold(t.key), "aws:") {
			return nil, invalidInput("Tag keys beginning with aws: are reserved for system use.")
		}
		seen[fold(t.key)] = true
	}
	out := mergeTags(old, more)
	if len(out) > maxTags {
		return nil, refuse("LimitExceeded", http.StatusConflict, "The number of tags has reached the maximum limit.")
	}
	return out, nil
}

// mergeTags lets later tags replace those of the same key.
func mergeTags(old, more []tag) []tag {
	out := slices.Clone(old)
	for _, t := range more {
		out = slices.DeleteFunc(out, func(o tag) bool { return fold(o.key) == fold(t.key) })
		out = append(out, t)
	}
	return out
}

func removeTags(tags []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return fold(k) == fold(t.key) })
	})
}

func (t tag) describe() []node { return []node{leaf("Key", t.key), leaf("Value", t.value)} }

// describeTags is nothing for an entity without tags.
func describeTags(tags []tag) []node {
	if len(tags) == 0 {
		return nil
	}
	return []node{list("Tags", tags, tag.describe)}
}

// onTaggedUser asks with the tags of the request.
func onTaggedUser(c *call) []ask {
	keys := tagKeys(c.in.tags("Tags"))
	if names := c.in.list("TagKeys"); names != nil {
		keys.set("aws:TagKeys", names...)
	}
	return c.ask(c.userARN(c.in.text("UserName")), keys)
}

// tagUser judges the tags before it looks for the user.
func tagUser(c *call) ([]node, error) {
	more := c.in.tags("Tags")
	if _, err := checkTags(nil, more); err != nil {
		return nil, err
	}
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	all, err := checkTags(u.tags, more)
	if err != nil {
		return nil, err
	}
	u.tags = all
	return nil, nil
}

func untagUser(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	u.tags = removeTags(u.tags, c.in.list("TagKeys"))
	return nil, nil
}

func listUserTags(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	return listing(c, "Tags", slices.Clone(u.tags), func(t tag) string { return t.key }, tag.describe)
}
