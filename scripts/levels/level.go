package main

import (
	"fmt"
	"slices"
	"strings"
)

// module is the path of the module whose packages the levels hold.
const module = "vault-plugin-secrets-aws"

// A level is a group of tests that are run and reported together.
type level struct {
	name string
	fast bool // also part of make check
	runs []selection
}

// A selection is what one go test command runs.
type selection struct {
	folder   string   // of a nested module, all of whose packages are run; "" for this one
	packages []string // relative to the module; rest stands for packages named nowhere else
	run      string   // -run pattern, "" for all
	skip     string   // -skip pattern, "" for none
	parallel int      // -parallel: more for tests that wait for servers; 0 for one a processor
	ordered  bool     // never with the race detector, which has goroutines run in any order
}

// rest stands for every package that no other selection names, so that a new
// package is tested without anybody having to list it.
const rest = "rest"

// levels is every level in the order of running: what fails fastest comes
// first. A package that two levels share is split by test name, so that no test
// runs twice and none is lost.
var levels = []level{
	{name: "unit", fast: true, runs: []selection{
		{packages: []string{rest}},
		{packages: []string{"internal/awssim"}, skip: "^TestClients"},
		{packages: []string{"internal/e2e/parity"}, skip: "^TestParity$"},
		{packages: []string{"internal/bench"}, skip: "^TestScenes$"},
		{folder: "cmd/vault-aws-credentials"},
	}},
	{name: "lifecycle", fast: true, runs: []selection{{packages: []string{"backend/lifecycle"}}}},
	{name: "mount", fast: true, runs: []selection{{packages: []string{"backend"}, skip: "^TestBoundary", parallel: 16}}},
	{name: "boundary", fast: true, runs: []selection{{packages: []string{"backend"}, run: "^TestBoundary", parallel: 16}}},
	{name: "simulation", runs: []selection{
		{packages: []string{"internal/sim"}, skip: "^TestSameSeed$"},
		{packages: []string{"internal/sim"}, run: "^TestSameSeed$", ordered: true},
	}},
	{name: "contract", runs: []selection{
		{packages: []string{"internal/awscontract"}, skip: "^TestClients"},
		{folder: "internal/awscontract/versitygwapi"},
		{folder: "internal/awscontract/versitygw"},
	}},
	{name: "clients", runs: []selection{{packages: []string{"internal/awssim", "internal/awscontract"}, run: "^TestClients"}}},
	{name: "e2e", runs: []selection{
		{packages: []string{"internal/e2e", "internal/endurance"}, parallel: 4},
		{packages: []string{"internal/e2e/parity"}, run: "^TestParity$"},
		{packages: []string{"internal/bench"}, run: "^TestScenes$"},
	}},
	{name: "crash", runs: []selection{{packages: []string{"internal/e2e/crash"}, parallel: 4}}},
}

// choose returns the named levels, or all when no name is given.
func choose(all []level, names []string) ([]level, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []level
	for _, name := range names {
		i := slices.IndexFunc(all, func(l level) bool { return l.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no level %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// fastOnes returns the levels that make check runs.
func fastOnes(all []level) []level {
	return slices.DeleteFunc(slices.Clone(all), func(l level) bool { return !l.fast })
}

// importPaths turns the packages of a selection into import paths. known is
// what go list ./... says.
func importPaths(s selection, all []level, known []string) []string {
	if s.folder != "" {
		return []string{"./..."}
	}
	if slices.Equal(s.packages, []string{rest}) {
		return unclaimed(all, known)
	}
	paths := make([]string, len(s.packages))
	for i, p := range s.packages {
		paths[i] = module + "/" + p
	}
	return paths
}

// unclaimed returns the known packages that no selection names.
func unclaimed(all []level, known []string) []string {
	return slices.DeleteFunc(slices.Clone(known), func(path string) bool {
		return claims(all, strings.TrimPrefix(path, module+"/"))
	})
}

// claims reports whether a selection names the package.
func claims(all []level, pkg string) bool {
	return slices.ContainsFunc(all, func(l level) bool {
		return slices.ContainsFunc(l.runs, func(s selection) bool {
			return slices.Contains(s.packages, pkg)
		})
	})
}
