package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// operatorPaths need sudo, so that a grant on the whole mount does not open them.
func operatorPaths() []string {
	return []string{"users", "users/*", "lookup", "tidy", "tidy-status", "tidy-cancel", "metrics"}
}

// errNotYet: an answer needs all records, and some are still to be read.
var errNotYet = errors.New("the records of users are still being read after a start; try again in some seconds")

// usersPage is how many users a list shows at most. It reads the record of each.
const usersPage = 1000

// recordsAtOnce is how many of them are read side by side.
const recordsAtOnce = 8

// pathListUsers serves users: the IAM users that the mount has made.
func (b *Backend) pathListUsers() *framework.Path {
	return &framework.Path{
		Pattern: "users/?$",
		Fields: map[string]*framework.FieldSchema{
			"role":  {Type: framework.TypeString, Query: true, Description: "Only users of this role."},
			"after": {Type: framework.TypeString, Query: true, Description: "Only users whose name sorts after this one: the last of the page before."},
			"limit": {Type: framework.TypeInt, Query: true, Default: usersPage, Description: "How many users at most, up to 1000."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ListOperation: activeOnly(operation(b.listUsers, "List the IAM users that the mount has made and not yet destroyed.")),
		},
		HelpSynopsis:    "List the IAM users of the mount.",
		HelpDescription: help("users.txt"),
	}
}

// pathUser serves users/<name>: what the mount remembers of one user.
func (b *Backend) pathUser() *framework.Path {
	return &framework.Path{
		Pattern: "users/" + framework.MatchAllRegex("name"),
		Fields: map[string]*framework.FieldSchema{
			"name": {Type: framework.TypeString, Description: "Name of the IAM user."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: activeOnly(operation(b.readUser, "Read what the mount remembers of an IAM user. No secret.")),
		},
		HelpSynopsis:    "Read what the mount remembers of an IAM user.",
		HelpDescription: help("users.txt"),
	}
}

// pathLookup serves lookup: whose access key is this?
func (b *Backend) pathLookup() *framework.Path {
	return &framework.Path{
		Pattern: "lookup",
		Fields: map[string]*framework.FieldSchema{
			"access_key": {Type: framework.TypeString, Required: true, Description: "Access key id, AKIA…"},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: activeOnly(operation(b.lookup, "Find the user that an access key belongs to.")),
		},
		HelpSynopsis:    "Find the user that an access key belongs to, and who asked for it.",
		HelpDescription: help("users.txt"),
	}
}

// listUsers handles a list of users, with what matters of each as key_info.
func (b *Backend) listUsers(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	limit := d.Get("limit").(int)
	if limit < 1 {
		return nil, invalid("limit %d is not positive: leave it out for %d", limit, usersPage)
	}
	names, err := b.userNames(ctx, req.Storage, d.Get("role").(string))
	if err != nil {
		return nil, err
	}
	page, more := pageOf(names, d.Get("after").(string), min(limit, usersPage))
	records, err := b.readRecords(ctx, page)
	if err != nil {
		return nil, err
	}
	shown := make(map[string]any, len(page))
	for i, r := range records {
		shown[page[i]] = map[string]any{"state": r.State, "role": r.Role, "access_key": r.AccessKey, "issued": moment(r.Issued), "deadline": moment(r.Deadline)}
	}
	resp := logical.ListResponseWithInfo(page, shown)
	if more > 0 {
		resp.AddWarning(fmt.Sprintf("%d more: list again with after=%s", more, page[len(page)-1]))
	}
	return resp, nil
}

// readRecords reads the records of users, in their order. One that is gone by now
// or cannot be decoded is empty.
func (b *Backend) readRecords(ctx context.Context, names []string) ([]lifecycle.UserRecord, error) {
	records := make([]lifecycle.UserRecord, len(names))
	reads := make([]func() error, len(names))
	for i, name := range names {
		reads[i] = func() (err error) {
			records[i], err = b.users.UserRecord(ctx, name)
			if errors.Is(err, lifecycle.ErrNoRecord) || errors.Is(err, lifecycle.ErrUnreadable) {
				return nil
			}
			return err
		}
	}
	for some := range slices.Chunk(reads, recordsAtOnce) {
		if err := lifecycle.SideBySide(some...); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// userNames is the names of all users, or of a role's, sorted. Once all records
// were read after a start, storage is not asked.
func (b *Backend) userNames(ctx context.Context, storage logical.Storage, role string) ([]string, error) {
	switch {
	case b.users.RecordsKnown():
		return b.users.UsersOfRole(role), nil
	case role != "":
		return nil, errNotYet
	}
	names, err := recordStore{storage: storage}.RecordNames(ctx)
	slices.Sort(names)
	return names, err
}

// pageOf is the sorted names after one of them, and how many follow the page.
func pageOf(names []string, after string, limit int) (page []string, more int) {
	from, found := slices.BinarySearch(names, after)
	if found {
		from++
	}
	rest := names[from:]
	if len(rest) <= limit {
		return rest, 0
	}
	return rest[:limit], len(rest) - limit
}

// readUser handles a read of users/<name>.
func (b *Backend) readUser(ctx context.Context, _ *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	return b.showUser(ctx, d.Get("name").(string))
}

// lookup handles a write of lookup.
func (b *Backend) lookup(ctx context.Context, _ *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	id := d.Get("access_key").(string)
	if id == "" {
		return nil, invalid("access_key is missing: the access key id to look up, such as AKIA…")
	}
	user, known := b.users.UserOfKey(id)
	switch {
	case known:
		return b.showUser(ctx, user)
	case !b.users.RecordsKnown():
		return nil, errNotYet
	}
	return nil, invalid("access_key %q belongs to no IAM user that this mount remembers: it may be a session's, another mount's, or its user is gone", id)
}

func (b *Backend) showUser(ctx context.Context, name string) (*logical.Response, error) {
	r, err := b.users.UserRecord(ctx, name)
	if errors.Is(err, lifecycle.ErrNoRecord) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"user_name": r.UserName, "state": string(r.State),
		"role": r.Role, "entity_id": r.EntityID, "display_name": r.DisplayName, "request_id": r.RequestID,
		"account": r.Account, "access_key": r.AccessKey,
		"policy_arns": list(r.PolicyARNs), "policy_names": list(r.Policies), "iam_groups": list(r.Groups),
		"issued": moment(r.Issued), "deadline": moment(r.Deadline),
		"key_deleted": r.KeyDeleted,
	}
	if r.State == lifecycle.Condemned {
		data["condemned_since"], data["reason"] = moment(r.Since), r.Reason
		data["tries"], data["next_try"], data["last_error"] = r.Tries, moment(r.NextTry), r.LastError
	}
	return &logical.Response{Data: data}, nil
}

// moment is a time in RFC 3339, in UTC and whole seconds; nil if there is none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
