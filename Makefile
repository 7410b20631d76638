# Three words: `make deps` installs what is missing, `make run` shows a small network, `make test` is what CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export WEIR_CACHE ?= $(HOME)/.cache/weir
# Outside the clone, so that a second clone does not build everything again.
export CARGO_TARGET_DIR ?= $(WEIR_CACHE)/target
# Independent readers for the tests live here (scripts/deps).
export WEIR_PYTHON ?= $(WEIR_CACHE)/venv/bin/python
# Peers such as freeradius live in /usr/sbin, which an ordinary user's PATH on Debian leaves out.
export PATH := $(WEIR_CACHE)/bin:$(PATH):$(HOME)/.cargo/bin:/usr/local/sbin:/usr/sbin:/sbin

.PHONY: help deps console run test fmt tidy docs soak bench

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

deps: ## install what is missing (says what and why)
	@scripts/deps test

console: ## build the desk's console into console/dist (nothing changed: nothing happens)
	@scripts/console

run: ## build, then play a small network into the real sockets
	@scripts/deps run
	@scripts/console
	@cargo run --quiet --package weir -- run --demo

test: ## format, lints, house rules, build, tests, licences: what CI runs
	@scripts/deps test
	@scripts/console test
	@cargo xtask ci

fmt: ## format all Rust code
	@cargo fmt --all

tidy: ## the house rules alone (seconds)
	@cargo xtask tidy

docs: ## write the generated documents anew
	@cargo xtask docs

soak: ## the long suites (hours)
	@scripts/deps test
	@cargo xtask soak

bench: ## the benchmarks beside other programs, into docs/performance.md (an hour and more)
	@scripts/deps bench
	@cargo xtask bench nat lookup radius syslog seal verify start
