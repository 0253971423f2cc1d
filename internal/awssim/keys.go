package awssim

import (
	"slices"
	"time"
)

// maxKeys is IAM's quota of access keys per user, active or not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxKeys = 2

func (s *Sim) addKey(u *user, key secretKey) *accessKey {
	k := &accessKey{secretKey: key, owner: u, active: true, created: s.now()}
	u.keys = append(u.keys, k)
	s.world.keys[key.id] = k
	return k
}

func (k *accessKey) status() string {
	if k.active {
		return "Active"
	}
	return "Inactive"
}

func createAccessKey(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= maxKeys {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
	}
	k := c.sim.addKey(u, c.sim.ids.longTermKey())
	c.sim.delayNewKey(k)
	return []node{branch("AccessKey", slices.Concat(
		optional("UserName", u.name),
		[]node{
			leaf("AccessKeyId", k.id), leaf("Status", k.status()),
			leaf("SecretAccessKey", k.secret), stamp("CreateDate", k.created),
		})...)}, nil
}

// namedKey is the key that the call names, which must be the user's.
func (c *call) namedKey() (*accessKey, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	id := c.in.text("AccessKeyId")
	if k := c.sim.world.keys[id]; k != nil && k.owner == u {
		return k, nil
	}
	return nil, noSuchEntity("The Access Key with id %s cannot be found", id)
}

func updateAccessKey(c *call) ([]node, error) {
	k, err := c.namedKey()
	if err != nil {
		return nil, err
	}
	c.sim.setStatus(k, c.in.text("Status"))
	return nil, nil
}

func deleteAccessKey(c *call) ([]node, error) {
	k, err := c.namedKey()
	if err != nil {
		return nil, err
	}
	k.owner.keys = slices.DeleteFunc(k.owner.keys, func(other *accessKey) bool { return other == k })
	c.sim.bury(k)
	return nil, nil
}

func listAccessKeys(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	return listing(c, "AccessKeyMetadata", slices.Clone(u.keys), func(k *accessKey) string { return k.id },
		func(k *accessKey) []node {
			return slices.Concat(optional("UserName", u.name), []node{
				leaf("AccessKeyId", k.id), leaf("Status", k.status()), stamp("CreateDate", k.created),
			})
		})
}

// getAccessKeyLastUsed knows the keys of the caller's account only.
func getAccessKeyLastUsed(c *call) ([]node, error) {
	id := c.in.text("AccessKeyId")
	k := c.sim.world.keys[id]
	if k == nil || k.owner.account != c.account {
		return nil, noSuchEntity("The Access Key with id %s cannot be found", id)
	}
	use := []node{leaf("ServiceName", "N/A"), leaf("Region", "N/A")}
	if k.lastUsed != nil {
		use = []node{
			stamp("LastUsedDate", k.lastUsed.at.Truncate(time.Minute)),
			leaf("ServiceName", k.lastUsed.service), leaf("Region", k.lastUsed.region),
		}
	}
	return append(optional("UserName", k.owner.name), branch("AccessKeyLastUsed", use...)), nil
}

// onKeyOwner asks about the owner of the key that the call names.
func onKeyOwner(c *call) []ask {
	if k := c.sim.world.keys[c.in.text("AccessKeyId")]; k != nil && k.owner.account == c.account {
		return c.ask(k.owner.arn(), nil)
	}
	return c.ask("*", nil)
}

func createLoginProfile(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	if u.login != nil {
		return nil, alreadyExists("Login Profile for user %s already exists.", u.name)
	}
	if password := c.in.text("Password"); len(password) < 8 {
		return nil, refuse("PasswordPolicyViolation", 400, "Password should have a minimum length of 8")
	}
	u.login = &loginProfile{created: c.now, resetRequired: c.in.text("PasswordResetRequired") == "true"}
	return u.describeLogin(), nil
}

func (u *user) describeLogin() []node {
	reset := "false"
	if u.login.resetRequired {
		reset = "true"
	}
	return []node{branch("LoginProfile",
		leaf("UserName", u.name), stamp("CreateDate", u.login.created), leaf("PasswordResetRequired", reset))}
}

// loginOf finds the login profile of the user that the call names.
func (c *call) loginOf() (*user, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	if u.login == nil {
		return nil, noSuchEntity("Login Profile for User %s cannot be found.", u.name)
	}
	return u, nil
}

func getLoginProfile(c *call) ([]node, error) {
	u, err := c.loginOf()
	if err != nil {
		return nil, err
	}
	return u.describeLogin(), nil
}

func deleteLoginProfile(c *call) ([]node, error) {
	u, err := c.loginOf()
	if err != nil {
		return nil, err
	}
	u.login = nil
	return nil, nil
}
