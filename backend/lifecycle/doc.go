// Package lifecycle makes AWS credentials and sees each one destroyed.
//
// It knows neither Vault nor the AWS SDK: what it needs of both are the small
// interfaces of ports.go. That is what makes it provable.
//
// # States of a dynamic user
//
// A user's state is where its name is written down:
//
//	announced  journal entry; CreateUser is sent, its answer not seen
//	made       journal entry; AWS confirmed the user, it has no key yet
//	keyed      journal entry; user and access key exist
//	issued     the entry is struck (this commits); the lease names the user
//
// Any failure before the strike ends in DestroyUser; the entry stays until that
// succeeded, and the worker rolls it back when it is older than RollbackMinAge.
// Records, which close the gap between strike and lease, come with users/<name>.
//
// # Invariants (numbers as in the design)
//
//	L1  nothing is created before its journal entry is durable          user.go
//	L2  from CreateUser until AWS confirmed the deletion the name is
//	    in the journal (or, once issued, in the lease)                  user.go
//	L3  DestroyUser can be repeated from any state and converges        destroy.go
//	L4  keys go before anything else is detached                        destroy.go
//	L5  a user AWS never confirmed is destroyed only if its name is
//	    provably ours                                                   destroy.go
//	L6  every operation has a deadline far below RollbackMinAge         deadlines.go
//	L7  NoSuchEntity means gone only for an old user in its account     destroy.go
//	L8  a create call is repeated blindly only after a refusal          user.go
//	L11 names this process is issuing are left alone by the worker      names.go
//	R1  a stored root key has worked before the old one is deleted      rootkey.go
//	S1  a static role's stored key exists and works; another goes first
//	    only at two keys, never the stored one nor somebody else's       statickey.go
//	L12 the worker acts only after a successful storage write           rollback.go
//
// Reading order: ports.go, user.go, destroy.go, rollback.go, worker.go,
// session.go, keychange.go, rootkey.go, statickey.go.
package lifecycle
