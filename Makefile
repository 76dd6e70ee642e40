# make test   everything that has to hold, on a machine that has Go and git
# make soak   the same for longer: more random worlds, longer laps, fuzzing
# make bench  the measurements of docs/performance.md; bench-swarm and bench-tracker are those of the swarm, bench-gateway of the gateway,
#             bench-viewer of the page

GO ?= go
# The race detector needs a C compiler.
RACE = $(shell command -v gcc >/dev/null 2>&1 && echo -race)
SOAK_FUZZ ?= 60s

.PHONY: all build test deps check unit page page-types page-tests soak fuzz bench bench-swarm bench-tracker bench-gateway bench-viewer

all: build

build:
	$(GO) build -o bin/ ./cmd/...

test: deps check unit

# Debian packages, where apt is there and they are not: a C compiler for the race detector, and for tests a web server,
# what reads media, what runs the page's scripts and checks their types, and a browser.
deps:
	@command -v apt-get >/dev/null 2>&1 || exit 0; want=; \
		command -v gcc >/dev/null 2>&1 || want="gcc libc6-dev"; \
		command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || want="$$want nginx-light"; \
		command -v ffprobe >/dev/null 2>&1 || want="$$want ffmpeg"; \
		command -v node >/dev/null 2>&1 || want="$$want nodejs"; \
		command -v tsc >/dev/null 2>&1 || want="$$want node-typescript"; \
		command -v chromium >/dev/null 2>&1 || want="$$want chromium"; \
		[ -z "$$want" ] || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$want; }

check: page-types
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt: $$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

unit: page-tests
	$(GO) test $(RACE) -timeout 20m ./...
	$(GO) test -run 'TestSelfReference$$|Worlds$$' ./assemble # ten times as many parts and worlds as with the race detector

# The viewer's page without a browser: the types of its scripts, and the tests of those that need none.
page: page-types page-tests

page-types:
	@command -v tsc >/dev/null 2>&1 || { echo "tsc (Debian: node-typescript) is not installed: the page's types are not checked; make deps installs it where apt-get is"; exit 0; }; \
		tsc --noEmit -p viewer

page-tests:
	@command -v node >/dev/null 2>&1 || { echo "node (Debian: nodejs) is not installed: the page's scripts are not tested; make deps installs it where apt-get is"; exit 0; }; \
		node --test viewer/static_test/*.test.js

soak: fuzz
	SPATE_SOAK=1 SPATE_WORLDS=100000 $(GO) test -timeout 120m -count 1 ./...

fuzz:
	@for d in $$(dirname $$(grep -lE '^func Fuzz' $$(git ls-files '*_test.go')) | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$d/*_test.go | cut -c6-); do \
			echo "$$d $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(SOAK_FUZZ) ./$$d || exit 1; done; done

bench:
	$(GO) run ./bench

# Needs root: each node is a network namespace.
bench-swarm:
	$(GO) run ./bench/swarm -all

bench-tracker:
	$(GO) run ./bench/tracker

bench-gateway:
	$(GO) run ./bench/gateway

# Needs chromium.
bench-viewer:
	$(GO) run ./bench/viewer
