# Netwatch: build, run, test. Every target installs what it needs and is missing (scripts/setup.sh).
#
#   make run          build, then watch the traffic of this machine
#   make test         every check and every test, as continuous integration runs them
#   make check        the cheap checks: run this before a commit
#   make build        the release binary with the web app inside
#   make fuzz-api     what the OpenAPI document allows and what it does not, sent to a server of its own
#   make bench        the figures of docs/performance.md
#   make agent        the agent alone, small: no server, no capture, no store
#   make ports        the agent alone for Windows, and what the compiler says of it for macOS
#   make package      a Debian package and an archive, in $CARGO_TARGET_DIR/package (compiles DuckDB: half an hour the first time)
#   make screenshots  the pictures of docs/screenshots
#
# One profile: programs and tests are both built with --release, and always over the whole workspace, because the features of what stands
# behind it depend on what is built; so everything is compiled once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# The order of `test` and `check` is meant: cheap checks first.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

export CARGO_TARGET_DIR ?= $(CURDIR)/target

BINARY := $(CARGO_TARGET_DIR)/release/netwatch
# Continuous integration must not change the lock file; a developer may.
LOCKED := $(if $(CI),--locked)
CARGO_FLAGS := --release $(LOCKED)
SECTION = @printf '\n==> %s\n'

# Arguments of `netwatch up` for `make run`, for example `make run ARGS="--interface eth0"`.
ARGS ?=

# What the web app is made of: no results, and neither tests nor what each build generates.
WEB_SOURCES := crates/api/openapi.json $(shell find web -type d \( -name node_modules -o -name dist -o -name e2e -o -name test-results \) -prune \
	-o -type f -not -name '*.test.*' -not -name schema.d.ts -print 2>/dev/null)

.PHONY: build run test check fuzz-api bench agent ports package screenshots \
        setup-build setup-test setup-bench setup-ports tidy deny format lint docs-check codegen-check web-check rust-build web-e2e doc-test rust-test

build: setup-build web/dist/index.html rust-build
	@echo "built $(BINARY)"

run: build
	@exec "$(BINARY)" up $(ARGS)

# Cheap checks first; nextest last, so that its summary closes the run.
test: setup-test tidy deny format web-check web/dist/index.html lint docs-check rust-build codegen-check web-e2e doc-test rust-test

check: setup-build tidy deny format web-check lint docs-check

fuzz-api: setup-test build
	$(SECTION) "fuzzing the API"
	scripts/fuzz-api.sh "$(BINARY)"

bench: setup-bench build
	$(SECTION) "bench"
	cargo run $(CARGO_FLAGS) --package netwatch-bench -- $(ARGS)

agent: setup-build
	$(SECTION) "agent"
	cargo build --profile agent $(LOCKED) --package netwatch-cli --no-default-features --features agent
	@echo "built $(CARGO_TARGET_DIR)/agent/netwatch"

ports: setup-ports
	$(SECTION) "agent for Windows and macOS"
	scripts/ports.sh lint $(LOCKED)
	cargo build --profile agent $(LOCKED) --package netwatch-cli --no-default-features --features agent --target x86_64-pc-windows-gnu
	@echo "built $(CARGO_TARGET_DIR)/x86_64-pc-windows-gnu/agent/netwatch.exe"

package: setup-build web/dist/index.html
	$(SECTION) "package"
	cargo build --profile dist $(LOCKED) --package netwatch-cli --features bundled
	scripts/package.sh "$(CARGO_TARGET_DIR)/dist/netwatch" "$(CARGO_TARGET_DIR)/package"

screenshots: setup-test build
	$(SECTION) "screenshots"
	cd web && NETWATCH_BINARY="$(BINARY)" npm run --silent screenshots

setup-build:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

setup-bench:
	@scripts/setup.sh bench

setup-ports:
	@scripts/setup.sh ports

tidy:
	$(SECTION) "tidy: the invariants of ARCHITECTURE.md"
	cargo run --quiet $(CARGO_FLAGS) --package xtask -- tidy

# The few packages that must never come in are checked by tidy too; licences need the tool, and the packages of all platforms.
deny:
	$(SECTION) "licences and sources of dependencies"
	@if command -v cargo-deny >/dev/null; then cargo fetch --quiet $(LOCKED) && cargo deny --offline check licenses bans sources; \
	else echo "skipped: cargo-deny is not installed"; fi

format:
	$(SECTION) "format"
	cargo fmt --all --check

lint:
	$(SECTION) "clippy"
	cargo clippy --quiet --workspace --all-targets $(CARGO_FLAGS) -- -D warnings
	cargo clippy --quiet --package netwatch-cli --no-default-features --features agent $(CARGO_FLAGS) -- -D warnings
	scripts/ports.sh lint $(LOCKED)

docs-check:
	$(SECTION) "rustdoc"
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps --document-private-items $(CARGO_FLAGS)

web-check: setup-build
	$(SECTION) "web: types, lint, unit tests"
	cd web && npm run --silent check

web/dist/index.html: $(WEB_SOURCES) | setup-build
	$(SECTION) "web: build"
	cd web && npm run --silent build
	touch web/dist/index.html

rust-build: web/dist/index.html
	$(SECTION) "build"
	cargo build --quiet $(CARGO_FLAGS) --workspace --bin netwatch

codegen-check: setup-build
	$(SECTION) "generated files are up to date"
	cargo run --quiet $(CARGO_FLAGS) --package xtask -- codegen --check

web-e2e: rust-build
	$(SECTION) "web: browser tests"
	cd web && NETWATCH_BINARY="$(BINARY)" npm run --silent e2e

doc-test:
	$(SECTION) "documentation tests"
	cargo test --quiet --doc --workspace $(CARGO_FLAGS)

rust-test: rust-build
	$(SECTION) "tests"
	NETWATCH_BINARY="$(BINARY)" cargo nextest run --workspace --no-tests=fail $(CARGO_FLAGS)
