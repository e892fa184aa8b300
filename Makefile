# The servers that test-versions tests against, each as the release of npm's
# @embedded-postgres packages that carries its binaries.
POSTGRESQL_14 := 14.23.0-beta.17
POSTGRESQL_15 := 15.18.0-beta.17
POSTGRESQL_16 := 16.14.0-beta.17
POSTGRESQL_17 := 17.10.0-beta.17
POSTGRESQL_18 := 18.4.0-beta.17
VERSIONS      := 14 15 16 17 18

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Where npm puts the binaries of one version; the package is named as Node.js
# names the system and the processor.
platform      = $(shell node -p 'process.platform + "-" + process.arch')
embedded      = .cache/postgresql/$(1)
embedded_bin  = $(CURDIR)/$(embedded)/node_modules/@embedded-postgres/$(platform)/native/bin

# More flags for go test, as in: make test TESTFLAGS='-run Ack -v'
TESTFLAGS ?=
GOTEST    := go test -timeout 15m

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: lint-suite chaos soak test-original test-mutants-engine bench-growth check-model test-crash test-pgbouncer test-suite bench bench-quick bench-xmin help demo build test race lint fmt generate check-generate test-versions postgresql clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("%", "17", $$1); printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## watch events flow for some seconds (DSN=... uses a database of yours)
	@$(if $(DSN),,.ci/postgresql)
	go generate ./examples/orderflow
	@go run ./examples/orderflow $(if $(DSN),-dsn "$$DSN")

build: ## compile the commands into bin/
	go build -o bin/ ./cmd/...

test: postgresql ## run all tests against a throw-away PostgreSQL
	$(GOTEST) $(TESTFLAGS) ./...
	cd pgque/otel && $(GOTEST) $(TESTFLAGS) ./...

race: postgresql ## run the tests of what runs concurrently under the race detector
	$(GOTEST) -race $(TESTFLAGS) ./pgque/... ./cmd/...
	cd pgque/otel && $(GOTEST) -race $(TESTFLAGS) ./...

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { printf 'not formatted (make fmt):\n%s\n' "$$unformatted" >&2; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	cd pgque/otel && go vet ./... && go run $(STATICCHECK) ./...

fmt: ## format all Go files
	gofmt -w .

generate: ## generate the examples' code from their schemas
	go generate ./...

# What git sees of the work tree, so that uncommitted work is no failure.
tree = { git diff --binary HEAD; git ls-files -z --others --exclude-standard | xargs -0 cksum; } | cksum

check-generate: ## prove that generating changes nothing
	@before=$$($(tree)); go generate ./... || exit; after=$$($(tree)); \
	[ "$$before" = "$$after" ] || { git status --short >&2; echo 'generated files were stale: commit what make generate writes' >&2; exit 1; }

test-versions: $(VERSIONS:%=test-%) ## run the tests against PostgreSQL 14 to 18 (downloads them with npm)

test-%: postgresql-% ## run the tests against one version of PostgreSQL
	PGQUE_PG_BIN=$(call embedded_bin,$*) $(GOTEST) -count=1 $(TESTFLAGS) ./pgque/... ./cmd/...

bench: postgresql ## measure everything beside its limit, less than ten minutes
	cd cmd/pgque-bench && go run .

bench-quick: postgresql ## the same in about a minute
	cd cmd/pgque-bench && go run . -quick

bench-xmin: postgresql ## show ours and a SKIP LOCKED table under an open transaction, as numbers and cmd/pgque-bench/xmin.svg (HELD=3m)
	cd cmd/pgque-bench && go run . -xmin xmin.svg -for $(or $(HELD),3m)

chaos: postgresql ## kill, cut and pause everything for minutes, then check the ledger (RAGE=3m SEED=...)
	$(GOTEST) -count=1 -v -run Chaos ./pgque/chaos -args -rage $(or $(RAGE),3m) -seed $(or $(SEED),0)

soak: postgresql ## hold the load for ten minutes; nothing may grow (SOAK=10m)
	$(GOTEST) -count=1 -v -run Soak ./pgque/chaos -args -soak $(or $(SOAK),10m)

test-original: ## compare thousands of random programs with PgQ, which it installs (PROGRAMS=2000)
	@ls /usr/lib/postgresql/*/bin/initdb /usr/share/postgresql/*/extension/pgq.control >/dev/null 2>&1 || { \
		[ "$$(id -u)" -eq 0 ] || { echo 'run: sudo apt-get install -y --no-install-recommends postgresql-15-pgq3' >&2; exit 1; }; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-15-pgq3; }
	go test -count=1 -timeout 2h ./pgque/enginetest -run Original -v -original -programs $(or $(PROGRAMS),2000)

check-model: postgresql ## run random histories with killed sessions for minutes (MODEL=5m)
	go test -count=1 -timeout 2h ./pgque/enginetest -run History -v -model $(or $(MODEL),5m)

test-crash: postgresql ## kill the server and fail over to its standby, again and again
	go test -count=1 -timeout 2h ./pgque/enginetest -run 'Crash|Failover' -v -crashes $(or $(CRASHES),30) -failovers $(or $(FAILOVERS),5)

test-pgbouncer: postgresql ## go through PgBouncer in transaction mode, which must be installed
	go test -count=1 -timeout 10m ./pgque/enginetest -run PgBouncer -v -pgbouncer

test-mutants-engine: postgresql ## break each rule of the engine; the test of that rule has to notice
	go test ./pgque/enginetest -count=1 -timeout 30m -parallel 4 -run Mutants -v -mutants

bench-growth: postgresql ## show what ticks, pages and upkeep cost as queues, consumers and backlogs grow
	go test -count=1 -timeout 1h ./pgque/enginetest -run '^$$' -bench Growth -benchtime 1x

test-suite: ## generate, compile and ask all cases of the official JSON Schema suite, with a table by keyword
	$(GOTEST) -count=1 -v -run Suite $(TESTFLAGS) ./gen/suite

lint-suite: ## go vet and staticcheck over the events of all schemas of the suite
	PGQUE_STATICCHECK='go run $(STATICCHECK)' $(GOTEST) -count=1 -v -run EventsAreClean $(TESTFLAGS) ./gen/suite

postgresql: ## install PostgreSQL for the tests, or say how, where there is none
	@.ci/postgresql

postgresql-%: ## download one version of PostgreSQL into .cache, without installing it
	@[ -n '$(POSTGRESQL_$*)' ] || { echo 'no PostgreSQL $*: there are $(VERSIONS)' >&2; exit 2; }
	@[ -x $(call embedded_bin,$*)/initdb ] || npm install --silent --no-fund --no-audit --prefix $(call embedded,$*) @embedded-postgres/$(platform)@$(POSTGRESQL_$*)
	@echo 'export PGQUE_PG_BIN=$(call embedded_bin,$*)'

clean: ## remove what make has built or downloaded
	rm -rf bin .cache
