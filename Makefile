# What can be done with this project, on Debian 12 with rustup's toolchain, gcc and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where rustup puts cargo; a fresh login's PATH may not have it.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{ printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: rust ## Build Sluice and run it before PHP: https://localhost:8443/
	@tests/install.sh demo
	cargo build --release --locked
	@# A shell script that runs this in the background has SIGINT ignored, which bash cannot undo.
	@SLUICE='$(abspath $(TARGET))/release/sluice' \
		exec env --default-signal=INT deploy/demo/run.sh

.PHONY: build
build: rust ## Build target/release/sluice
	@tests/install.sh build
	cargo build --release --locked

.PHONY: test
test: rust ## Check style, documentation and behaviour, with real servers and a real browser
	@tests/install.sh
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
	@# Some tests hold thousands of connections.
	ulimit -n "$$(ulimit -Hn)" && cargo test --locked

.PHONY: bench
bench: rust ## Measure cost, delay and stalled clients; takes some five minutes
	@tests/install.sh build
	ulimit -n "$$(ulimit -Hn)" && cargo bench --locked --bench figures

.PHONY: soak
soak: rust ## Let everything go wrong for ten minutes, and look for a lost event
	@tests/install.sh
	ulimit -n "$$(ulimit -Hn)" && SLUICE_CHAOS_SECONDS=600 cargo test --locked --test it chaos

.PHONY: clean
clean: rust ## Remove what was built
	cargo clean

.PHONY: rust
rust:
	@command -v cargo >/dev/null || { \
		echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
