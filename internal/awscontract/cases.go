package awscontract

import "slices"

// beliefs is the whole table.
func beliefs() []belief {
	return slices.Concat(
		nameBeliefs(), pathBeliefs(), tagBeliefs, tagLimitBeliefs(),
		userBeliefs, boundaryBeliefs, deletionBeliefs(), otherDeletionBeliefs,
		keyBeliefs, keylessBeliefs(),
		grammarBeliefs(), inlineBeliefs(), inlineLimitBeliefs(),
		attachBeliefs(), managedBeliefs(), versionBeliefs, groupBeliefs, groupPolicyBeliefs(), roleBeliefs(), rolePolicyBeliefs(),
		pagingBeliefs(), pageLimitBeliefs(),
		signatureBeliefs(), wireBeliefs, expiryBeliefs(),
		accessBeliefs, boundaryAccessBeliefs, conditionBeliefs,
		assumeBeliefs, assumeLimitBeliefs(), chainingBeliefs, trustBeliefs, crossAccountBeliefs(), sessionTagBeliefs(), attributionBeliefs(), chainBeliefs,
		sessionPolicyBeliefs(), federationBeliefs, federationLimitBeliefs(), federatedBeliefs(),
		sessionTokenBeliefs(), mfaBeliefs(), identityBeliefs(), signinBeliefs,
	)
}

// variant is one of several inputs that a belief is about.
type variant[T any] struct {
	what  string
	value T
	want  string
}

// each makes a belief of every variant.
func each[T any](id, source string, variants []variant[T], run func(*world, T) string) []belief {
	out := make([]belief, len(variants))
	for i, v := range variants {
		out[i] = belief{id: id + ": " + v.what, source: source, want: v.want, run: func(w *world) string { return run(w, v.value) }}
	}
	return out
}
