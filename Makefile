# `make demo` and `make test` do all their set-up themselves, on a fresh Debian machine that has Rust.

.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt bench bench-match bench-postgres chaos deny openapi setup setup-test

# Further arguments of the command behind a target: make demo ARGS="--send 10000"
ARGS ?=

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: setup ## Start Herald with everything set up, and send a first message of each kind
	cargo run --locked --profile quick -p herald -- demo $(ARGS)

test: setup-test ## Everything that must hold before a change goes in
	@.ci/checks

lint: setup ## Formatting and clippy, warnings denied
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

fmt: ## Put the sources into their form
	cargo fmt --all

bench: setup ## Measure, and write bench/RESULTS.md and bench/results.json
	cargo build --locked --release -p herald -p herald-bench
	./target/release/herald-bench run --profile $(ARGS)

bench-postgres: setup-test ## Measure on PostgreSQL with one, two and three nodes, and write that down too
	cargo build --locked --release -p herald -p herald-bench
	./target/release/herald-bench postgres $(ARGS)

bench-match: setup ## Measure how long it takes to find a text's template, and write that down too
	cargo build --locked --release -p herald-bench
	./target/release/herald-bench match $(ARGS)

chaos: setup-test ## Three nodes on PostgreSQL, killed, frozen and cut off for minutes: nothing lost, nobody gets two
	env $(ARGS) cargo test --locked -p herald --test it nodes::chaos::nothing_is_lost_or_doubled_in_a_long_run -- --ignored --nocapture

openapi: ## Write openapi.json anew, after a change of the API
	cargo xtask openapi

# Its first run builds the tool: 190 s of processor time, which took 4 min 36 s at the lowest priority on a busy machine
# with two cores. Not measured on a quiet one; over 4 minutes there, take it out of .ci/checks.
deny: setup ## Licences, banned crates and sources of dependencies
	"$$(.ci/tool cargo-deny 0.20.2)" --locked check bans licenses sources

setup:
	@.ci/setup

setup-test: ## Install what the tests need, PostgreSQL among it
	@.ci/setup test
