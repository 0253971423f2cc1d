package lifecycle

import "strconv"

// OwnerTagPrefix begins the keys of the tags that tell whose user one is. Roles
// cannot set such tags.
const OwnerTagPrefix = "vault-aws:"

const (
	ownerTag       = OwnerTagPrefix + "owner"
	incarnationTag = OwnerTagPrefix + "incarnation"
	roleTag        = OwnerTagPrefix + "role"
	requestTag     = OwnerTagPrefix + "request"
)

// OwnerTags are the tags of a user that this mount makes for somebody.
func (s MountState) OwnerTags(b Bearer) map[string]string {
	return map[string]string{
		ownerTag:       s.Owner,
		incarnationTag: strconv.Itoa(s.Incarnation),
		roleTag:        b.Role,
		requestTag:     b.RequestID,
	}
}

// owns reports whether a user with these tags was made by this mount, and in
// which incarnation; 0 if the tags do not tell.
func (s MountState) owns(tags map[string]string) (incarnation int, ours bool) {
	incarnation, _ = strconv.Atoi(tags[incarnationTag])
	return incarnation, s.Owner != "" && tags[ownerTag] == s.Owner
}
