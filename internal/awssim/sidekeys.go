package awssim

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strings"
	"time"
)

// sideKey is a credential of a user beside its access keys and password: an
// SSH public key, a signing certificate or a service-specific credential. The
// simulator cannot be called with one; it keeps users from being deleted.
type sideKey struct {
	kind     string // as the operations' names have it
	id       string
	body     string // of a key or certificate
	service  string // of a service-specific credential
	login    string // likewise
	password string // likewise
	created  time.Time
}

// Kinds of side keys.
const (
	kindSSHKey      = "SSHPublicKey"
	kindCertificate = "SigningCertificate"
	kindServiceKey  = "ServiceSpecificCredential"
)

// sideKeyKind says what a kind's operations are called and what they take.
type sideKeyKind struct {
	kind   string
	prefix string // of ids
	make   operation
	list   operation
	remove operation
	listed string // the element of the list's answer
	quota  int
	noun   string // in the quota's name
}

// sideKeyKinds are the kinds. Quotas:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func sideKeyKinds() []sideKeyKind {
	marker, maxItems := optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)
	user, orCaller := required("UserName", userNameType), optionalIn("UserName", userNameType)
	oldOrCaller := optionalIn("UserName", existingUserNameType)
	service := required("ServiceName", serviceNameType)
	return []sideKeyKind{
		{
			kindSSHKey, "APKA",
			operation{name: "UploadSSHPublicKey", members: []member{user, required("SSHPublicKeyBody", publicKeyMaterialType)}},
			operation{name: "ListSSHPublicKeys", members: []member{orCaller, marker, maxItems}},
			operation{name: "DeleteSSHPublicKey", members: []member{user, required("SSHPublicKeyId", publicKeyIDType)}},
			"SSHPublicKeys", 5, "SSHPublicKeysPerUser",
		}, {
			kindCertificate, "",
			operation{name: "UploadSigningCertificate", members: []member{oldOrCaller, required("CertificateBody", publicKeyMaterialType)}},
			operation{name: "ListSigningCertificates", members: []member{oldOrCaller, marker, maxItems}},
			operation{name: "DeleteSigningCertificate", members: []member{oldOrCaller, required("CertificateId", certificateIDType)}},
			"Certificates", 2, "CertificatesPerUser",
		}, {
			kindServiceKey, "ACCA",
			operation{name: "CreateServiceSpecificCredential", members: []member{user, service, optionalIn("CredentialAgeDays", credentialAgeDaysType)}},
			operation{name: "ListServiceSpecificCredentials", members: []member{
				orCaller, optionalIn("ServiceName", serviceNameType), optionalIn("AllUsers", booleanType), marker, maxItems,
			}},
			operation{name: "DeleteServiceSpecificCredential", members: []member{orCaller, required("ServiceSpecificCredentialId", publicKeyIDType)}},
			"ServiceSpecificCredentials", 2, "ServiceSpecificCredentialsPerUser",
		},
	}
}

// sideKeyOperations are IAM's operations on all kinds.
func sideKeyOperations() []operation {
	var out []operation
	for _, k := range sideKeyKinds() {
		for op, run := range map[*operation]func(*call) ([]node, error){&k.make: k.create, &k.list: k.listAll, &k.remove: k.delete} {
			op.target, op.asks, op.run = "UserName", onUserOrCaller, run
			out = append(out, *op)
		}
	}
	return out
}

// create stores what it is given: the simulator reads neither keys nor
// certificates.
func (k sideKeyKind) create(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	key := c.sim.newSideKey(u, k, c.in.text("ServiceName"))
	key.body = c.in.text("SSHPublicKeyBody") + c.in.text("CertificateBody")
	if k.full(u, key.service) {
		return nil, limitExceeded("Cannot exceed quota for %s: %d", k.noun, k.quota)
	}
	u.sideKeys = append(u.sideKeys, key)
	return []node{branch(strings.TrimPrefix(k.kind, "Signing"), append(key.describe(u), key.secrets()...)...)}, nil
}

// full counts the credentials of each service by themselves.
func (k sideKeyKind) full(u *user, service string) bool {
	n := 0
	for _, other := range u.sideKeys {
		if other.kind == k.kind && other.service == service {
			n++
		}
	}
	return n >= k.quota
}

func (s *Sim) newSideKey(u *user, k sideKeyKind, service string) *sideKey {
	key := &sideKey{kind: k.kind, id: k.prefix + s.ids.draw(base32Alphabet, 24-len(k.prefix)), service: service, created: s.now()}
	if service != "" {
		key.login = u.name + "-at-" + u.account.id
		key.password = s.ids.draw(base64Alphabet, 44)
	}
	return key
}

// describe is what a list shows of a key.
func (key *sideKey) describe(u *user) []node {
	out := append(optional("UserName", u.name), leaf("Status", "Active"))
	switch key.kind {
	case kindSSHKey:
		return append(out, leaf("SSHPublicKeyId", key.id), stamp("UploadDate", key.created))
	case kindCertificate:
		return append(out, leaf("CertificateId", key.id), leaf("CertificateBody", key.body), stamp("UploadDate", key.created))
	}
	return append(out, leaf("ServiceSpecificCredentialId", key.id), leaf("ServiceName", key.service),
		leaf("ServiceUserName", key.login), stamp("CreateDate", key.created))
}

// secrets are what only the answer to a creation shows.
func (key *sideKey) secrets() []node {
	switch key.kind {
	case kindSSHKey:
		return []node{leaf("SSHPublicKeyBody", key.body), leaf("Fingerprint", fmt.Sprintf("%x", md5.Sum([]byte(key.body))))}
	case kindServiceKey:
		return []node{leaf("ServicePassword", key.password)}
	}
	return nil
}

func (k sideKeyKind) listAll(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	service := c.in.text("ServiceName")
	keys := slices.DeleteFunc(slices.Clone(u.sideKeys), func(key *sideKey) bool {
		return key.kind != k.kind || service != "" && key.service != service
	})
	return listing(c, k.listed, keys, func(key *sideKey) string { return key.id },
		func(key *sideKey) []node { return key.describe(u) })
}

func (k sideKeyKind) delete(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	id := c.in.text(k.remove.members[1].name)
	i := slices.IndexFunc(u.sideKeys, func(key *sideKey) bool { return key.kind == k.kind && key.id == id })
	if i < 0 {
		return nil, noSuchEntity("The %s with id %s cannot be found.", k.kind, id)
	}
	u.sideKeys = slices.Delete(u.sideKeys, i, i+1)
	return nil, nil
}
