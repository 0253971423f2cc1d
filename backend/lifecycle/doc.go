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
//	recorded   journal entry and record
//	issued     record with a deadline; the entry is struck (this commits)
//	pooled     record with the process that has its key; nobody else has it
//	condemned  record: the user is destroyed, by revoke or worker, until it is gone
//
// Any failure before the strike ends in DestroyUser; the entry stays until that
// succeeded, and the worker rolls it back when it is older than RollbackMinAge.
// An issued user is condemned when its lease is revoked, or when it outlived its
// deadline by an hour, since a lease can get lost. A user that is made ahead of
// time is recorded as pooled instead of issued, and becomes issued when somebody
// is given it.
//
// # Invariants (numbers as in the design)
//
//	L1  nothing is created before its journal entry is durable          user.go
//	L2  from CreateUser until AWS confirmed the deletion the name is
//	    in the journal or in a record                                   user.go, undo.go
//	L3  DestroyUser can be repeated from any state and converges        destroy.go
//	L4  keys go before anything else is detached                        destroy.go
//	L5  a user AWS never confirmed is destroyed only if its name is
//	    provably ours                                                   destroy.go
//	L6  every operation has a deadline far below RollbackMinAge, its
//	    wait for the governor included                                  deadlines.go
//	L7  NoSuchEntity means gone only for an old user in its account, or
//	    one whose deletion AWS has confirmed to this process            destroy.go, graves.go
//	L8  a create call is repeated blindly only after a refusal          attempt.go
//	L9  a revoke condemns durably before it calls AWS; the condemned
//	    are never renewed, and tried until they are gone                condemn.go
//	L10 a record has its new deadline before the lease has; whether it
//	    has passed is decided under the user's lock                     condemn.go, overdue.go
//	L11 users this process is issuing are left alone by the worker      user.go
//	R1  a stored root key has worked before the old one is deleted      rootkey.go
//	S1  a static role's stored key exists and works; another goes first
//	    only at two keys, never the stored one nor somebody else's       statickey.go
//	P1  a pooled user is handed out once, its record rewritten before    pool_take.go
//	P2  one that is in no pool of this process is condemned; keys of
//	    pooled users are in memory only                                 pool_duties.go
//	P3  what is handed out is what role and root config say now         pool.go
//	P4  only what STS knows is handed out, and no more is made than
//	    the limits allow                                                pool.go
//	L12 the worker acts only after a successful storage write           rollback.go, condemn.go
//	L13 many users past their deadline at once, or a clock that jumped,
//	    stop destruction by deadline until an operator's word           overdue.go
//
// Reading order: ports.go, manager.go, user.go, attempt.go, undo.go, destroy.go,
// rollback.go, record.go, condemn.go, index.go, overdue.go, state.go, caps.go,
// pool.go, pool_take.go, pool_duties.go,
// worker.go, session.go, keychange.go, rootkey.go, statickey.go.
package lifecycle
