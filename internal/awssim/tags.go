package awssim

import (
	"net/http"
	"slices"
	"strings"
)

// maxTags is IAM's quota of tags on one resource.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxTags = 50

// tagCase says which tag keys are the same key to a kind of resource: to
// users, roles and sessions those that differ in case only, to all others
// only equal ones.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_naming
type tagCase struct {
	key       func(string) string
	duplicate string // AWS's words
}

func foldedTags() tagCase {
	return tagCase{fold, "Duplicate tag keys found. Please note that Tag keys are case insensitive."}
}

func exactTags() tagCase {
	return tagCase{func(key string) string { return key }, "Duplicate tag keys found."}
}

// add adds tags to those that are there and refuses what AWS refuses.
func (k tagCase) add(old, more []tag) ([]tag, error) {
	seen := map[string]bool{}
	for _, t := range more {
		if seen[k.key(t.key)] {
			return nil, invalidInput("%s", k.duplicate)
		}
		if strings.HasPrefix(fold(t.key), "aws:") {
			return nil, invalidInput("Tag keys beginning with aws: are reserved for system use.")
		}
		seen[k.key(t.key)] = true
	}
	out := k.merge(old, more)
	if len(out) > maxTags {
		return nil, refuse("LimitExceeded", http.StatusConflict, "The number of tags has reached the maximum limit.")
	}
	return out, nil
}

// merge lets later tags replace those of the same key.
func (k tagCase) merge(old, more []tag) []tag {
	out := slices.Clone(old)
	for _, t := range more {
		out = slices.DeleteFunc(out, func(o tag) bool { return k.key(o.key) == k.key(t.key) })
		out = append(out, t)
	}
	return out
}

func (k tagCase) remove(tags []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return k.key(key) == k.key(t.key) })
	})
}

// checkTags are the tags of a new user, role or session.
func checkTags(more []tag) ([]tag, error) { return foldedTags().add(nil, more) }

// mergeTags is merge for users, roles and sessions.
func mergeTags(old, more []tag) []tag { return foldedTags().merge(old, more) }

func (t tag) describe() []node { return []node{leaf("Key", t.key), leaf("Value", t.value)} }

// describeTags is nothing for an entity without tags.
func describeTags(tags []tag) []node {
	if len(tags) == 0 {
		return nil
	}
	return []node{list("Tags", tags, tag.describe)}
}

// taggable is one kind of resource that has tags.
type taggable struct {
	kind  string // as the operations' names have it: "User"
	named member // names the resource
	arn   func(*call) string
	find  func(*call) (*[]tag, error)
	keys  tagCase
}

// taggables are the kinds of resource whose tags can be changed.
func taggables() []taggable {
	return []taggable{
		{
			"User", required("UserName", existingUserNameType),
			func(c *call) string { return c.userARN(c.in.text("UserName")) },
			func(c *call) (*[]tag, error) { u, err := c.namedUser(); return tagsField(u, err) }, foldedTags(),
		},
		{
			"Role", required("RoleName", roleNameType),
			func(c *call) string { return c.roleARN() },
			func(c *call) (*[]tag, error) { r, err := c.namedRole(); return tagsField(r, err) }, foldedTags(),
		},
		{
			"Policy", required("PolicyArn", arnType),
			func(c *call) string { return c.in.text("PolicyArn") },
			func(c *call) (*[]tag, error) { p, err := c.ownPolicy(); return tagsField(p, err) }, exactTags(),
		},
		{
			"OpenIDConnectProvider", required("OpenIDConnectProviderArn", arnType),
			func(c *call) string { return c.in.text("OpenIDConnectProviderArn") },
			func(c *call) (*[]tag, error) { p, err := c.namedProvider(goneProvider); return tagsField(p, err) }, exactTags(),
		},
	}
}

// tagged is what has tags.
type tagged interface{ tagList() *[]tag }

func (u *user) tagList() *[]tag          { return &u.tags }
func (r *role) tagList() *[]tag          { return &r.tags }
func (p *managedPolicy) tagList() *[]tag { return &p.tags }
func (p *oidcProvider) tagList() *[]tag  { return &p.tags }

func tagsField(t tagged, err error) (*[]tag, error) {
	if err != nil {
		return nil, err
	}
	return t.tagList(), nil
}

// tagOperations are Tag, Untag and List…Tags of all kinds.
func tagOperations() []operation {
	var out []operation
	for _, t := range taggables() {
		target := t.named.name
		if strings.HasSuffix(target, "Arn") {
			target = ""
		}
		out = append(out,
			operation{
				name: "Tag" + t.kind, target: target, asks: t.ask, run: t.tag,
				members: []member{t.named, required("Tags", tagListType)},
			},
			operation{
				name: "Untag" + t.kind, target: target, asks: t.ask, run: t.untag,
				members: []member{t.named, required("TagKeys", tagKeyListType)},
			},
			operation{
				name: "List" + t.kind + "Tags", target: target, asks: t.ask, run: t.list,
				members: []member{t.named, optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)},
			})
	}
	return out
}

// ask asks with the tags of the request.
func (t taggable) ask(c *call) []ask {
	keys := tagKeys(c.in.tags("Tags"))
	if names := c.in.list("TagKeys"); names != nil {
		keys.set("aws:TagKeys", names...)
	}
	return c.ask(t.arn(c), keys)
}

// tag judges the tags before it looks for what to put them on.
func (t taggable) tag(c *call) ([]node, error) {
	more := c.in.tags("Tags")
	if _, err := t.keys.add(nil, more); err != nil {
		return nil, err
	}
	tags, err := t.find(c)
	if err != nil {
		return nil, err
	}
	all, err := t.keys.add(*tags, more)
	if err != nil {
		return nil, err
	}
	*tags = all
	return nil, nil
}

func (t taggable) untag(c *call) ([]node, error) {
	tags, err := t.find(c)
	if err != nil {
		return nil, err
	}
	*tags = t.keys.remove(*tags, c.in.list("TagKeys"))
	return nil, nil
}

func (t taggable) list(c *call) ([]node, error) {
	tags, err := t.find(c)
	if err != nil {
		return nil, err
	}
	return listing(c, "Tags", slices.Clone(*tags), func(t tag) string { return t.key }, tag.describe)
}
