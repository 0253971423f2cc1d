package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/store"
	"vault-plugin-secrets-aws/internal/awssim"
)

// people are those who have access to the AWS account besides Vault.
type people struct {
	w       *world
	account string
	before  awssim.Account // what is theirs, as it was at first

	mu      sync.Mutex
	foreign map[string]bool // ids of keys that they made
	spoilt  map[string]bool // users and keys that they took from us
	down    time.Time       // until then nobody reaches AWS
}

const (
	rootUser   = "vault-root"
	bystander  = "somebody"
	allowAll   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	denySome   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`
	allowSome  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	staticApps = 4
)

// app is the user of a static role.
func app(i int) string { return fmt.Sprintf("app%d", i) }

// settle makes what is in the account before Vault comes.
func (p *people) settle(w *world) {
	admin := w.sim.Admin()
	p.w, p.account, p.foreign, p.spoilt = w, admin.Account, map[string]bool{}, map[string]bool{}
	root := w.sim.PutUser(p.account, rootUser, allowAll)
	p.foreign[w.sim.PutUser(p.account, bystander, allowSome).AccessKey] = true
	for i := range staticApps {
		p.foreign[w.sim.PutUser(p.account, app(i), allowSome).AccessKey] = true
	}
	w.sim.PutPolicy(p.account, "theirs", allowSome)
	w.sim.PutGroup(p.account, "staff", allowSome)
	w.sim.PutRole(p.account, "assumable", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`, allowSome)
	p.before = p.seen()
	w.store.data[store.RootConfigKey] = fmt.Appendf(nil, `{"access_key":%q,"secret_key":%q,"region":"us-east-1","iam_endpoint":"http://aws.test","sts_endpoint":"http://aws.test","max_retries":%d}`,
		root.AccessKey, root.SecretKey, int(w.draw("retries")%4)-1)
}

// seen is the account as it is.
func (p *people) seen() awssim.Account { return p.w.sim.State().Accounts[p.account] }

// untouchable reports whether a user is none of the plugin's business.
func (p *people) untouchable(user string) bool { return user == bystander || user == "admin" }

// theirs reports whether a user was not made by the plugin.
func (p *people) theirs(user string) bool {
	return p.untouchable(user) || user == rootUser || strings.HasPrefix(user, "app")
}

// ours are the users that the plugin has made, sorted.
func (p *people) ours(now awssim.Account) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(now.Users)), p.theirs)
}

func (p *people) spoil(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoilt[what] = true
}

func (p *people) isSpoilt(whats ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(whats, func(what string) bool { return p.spoilt[what] })
}

// isForeign reports whether people made a key, and Vault was not given it.
func (p *people) isForeign(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.foreign[key]
}

// made notes whether a key is people's or, from now on, Vault's.
func (p *people) made(key string, theirs bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.foreign[key] = theirs
}

// act has somebody do something to a user in AWS.
func (p *people) act(user string, act awssim.Act, value string) {
	made, err := p.w.sim.Interfere(awssim.Interference{User: user, Act: act, Value: value})
	p.w.note("people: %s %s %s: %v", act, user, value, err)
	if err != nil {
		return
	}
	p.w.reach("people " + string(act))
	p.mu.Lock()
	defer p.mu.Unlock()
	switch act {
	case awssim.ActAddKey:
		p.foreign[made.AccessKey] = true
	case awssim.ActDeleteKey, awssim.ActDeactivateKey:
		p.spoilt[value] = true
	case awssim.ActDelete:
		p.spoilt[user] = true
	}
}

// outage reports whether AWS cannot be reached.
func (w *world) outage() bool {
	w.world.mu.Lock()
	defer w.world.mu.Unlock()
	return time.Now().Before(w.world.down)
}

func (w *world) cutOff(d time.Duration) {
	w.world.mu.Lock()
	defer w.world.mu.Unlock()
	w.world.down = time.Now().Add(d)
}
