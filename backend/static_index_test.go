package backend

import (
	"context"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// lateStorage has something happen between the reading of a static role and that
// of its key.
type lateStorage struct {
	logical.Storage
	key  string
	late func()
}

func (s *lateStorage) Get(ctx context.Context, key string) (*logical.StorageEntry, error) {
	if late := s.late; key == s.key && late != nil {
		s.late = nil
		late()
	}
	return s.Storage.Get(ctx, key)
}

// TestStaticIndexDropsWhatIsOld: a static role that was written while it was read
// is read again.
func TestStaticIndexDropsWhatIsOld(t *testing.T) {
	storage := &lateStorage{Storage: &logical.InmemStorage{}, key: "static-creds/x"}
	records, now := store.Records{Storage: storage}, time.Now()
	put := func(id string) {
		if err := records.PutStaticRole(t.Context(), &store.StaticRole{Name: "x", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	put("AIDAOLD")
	var x staticIndex
	storage.late = func() {
		put("AIDANEW")
		x.change("x")
	}
	for range 2 { // the first reads what is old
		if err := x.complete(t.Context(), records, now); err != nil {
			t.Fatal(err)
		}
	}
	name, err := x.find(t.Context(), records, now, func(_ string, s staticStanding) bool { return s.userID == "AIDANEW" })
	if name != "x" || err != nil {
		t.Errorf("the role of the new user is %q, %v", name, err)
	}
}
