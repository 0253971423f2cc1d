# Every target runs offline once its Go modules are there; vuln says SKIP then.

LINT = go tool -modfile=scripts/tools/go.mod golangci-lint

# A module of its own, which ./... leaves out.
HELPER = cmd/vault-aws-credentials

.DEFAULT_GOAL = help

.PHONY: build
build: ## the plugin, the AWS simulator and the helper, into bin/ (plugins also into bin/plugins/)
	@scripts/build

.PHONY: vault
vault: ## link bin/vault, the server of tests and demo; the first build takes minutes (VAULT_BIN= overrides)
	@scripts/link-vault

.PHONY: check
check: ## what to run before every commit: format, vet, lint, fast tests
	$(LINT) fmt --diff
	go vet ./...
	go vet -C $(HELPER) ./...
	go vet -C scripts/openapi ./...
	$(LINT) run
	cd $(HELPER) && $(subst scripts,../../scripts,$(LINT)) run
	@go run ./scripts/levels -fast

.PHONY: test
test: build vault ## every test level, with the race detector where a C compiler is there
	@go run ./scripts/levels $(LEVELS)

.PHONY: sim
sim: ## the whole backend in a simulated world: 20 seeds of 7 days (SEED=, DAYS=: one of them; TWICE=1: each twice, and compared)
	@go test -c -o bin/sim.test ./internal/sim
	@bin/sim.test -test.run '^Test$(if $(TWICE),SameSeed,Seeds)$$' -test.timeout 0 -sim.days $(or $(DAYS),7) \
		$(if $(SEED),-sim.seeds 1 -sim.seed $(SEED),-sim.seeds 20 -sim.everything)

.PHONY: demo
demo: ## credentials from a real Vault and a simulated AWS (ONESHOT=1: show and exit)
	@scripts/build demo
	@bin/demo $(if $(ONESHOT),-oneshot)

.PHONY: conformance
conformance: ## the simulated AWS judged by our contract suite and by versitygw's own 480 cases; prints the scores
	@scripts/conformance

.PHONY: parity
parity: build vault ## the same requests to this engine and to Vault's built-in one, answers and effects compared; two minutes
	@scripts/parity

.PHONY: acc
acc: ## the contract suite against the real AWS account of the environment, a sandbox only; takes hours
	AWS_ACC=1 go test ./internal/awscontract -run TestAccount -acc -count=1 -v -timeout 6h

.PHONY: ha
ha: build vault ## a raft cluster whose leader changes 50 times under load (N=), a quarter of an hour
	@go run ./scripts/endure ha $(or $(N),50)

.PHONY: soak
soak: build vault ## 200 clients for a minute, then 20,000 lifecycles on a hostile AWS (N=), about 25 minutes
	@go run ./scripts/endure load 1m
	@go run ./scripts/endure soak $(or $(N),20000)

.PHONY: crash
crash: build vault ## every operation meets every mishap at every AWS call and storage write; prints the table
	@go run ./scripts/crash

.PHONY: bench
bench: build vault ## this engine beside Vault's built-in one, a quarter of an hour; writes docs/benchmarks.md (ONLY=scenes: tries them)
	@go run ./scripts/bench $(ONLY)
ifndef ONLY
	@go run -C scripts/plot . ../../docs
	@go run -C scripts/plot . -check ../../docs
	@go run ./scripts/bench -check
endif

.PHONY: mutate
mutate: ## break the code in one place at a time and show which test notices (ONLY=prefixes)
	@go run ./scripts/mutate $(ONLY)

.PHONY: fuzz
fuzz: FUZZTIME ?= 20s
fuzz: ## run every fuzz target for FUZZTIME (20s; ONLY=words of their names)
	@go run ./scripts/fuzz $(FUZZTIME) $(ONLY)

.PHONY: dist
dist: ## the files of a release, into dist/, the same bytes every time (DIST_KEY=: a key of ssh-keygen signs them)
	@scripts/dist

.PHONY: reproduce
reproduce: ## build dist/ again, elsewhere and from nothing, and compare (TARGETS=linux/amd64: only that)
	@scripts/reproduce $(TARGETS)

.PHONY: fmt
fmt: ## format the Go code
	$(LINT) fmt

.PHONY: vuln
vuln: ## known vulnerabilities in what we link (asks the Go vulnerability database)
	@scripts/vuln

.PHONY: clean
clean: ## remove what was built here; Vault stays in the user's cache
	rm -rf bin dist

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 9
