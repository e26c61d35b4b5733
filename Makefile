# The developer's words. Whatever takes more than a few lines is in scripts/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Where the recipes find what cargo built, whatever else this machine's cargo is told.
export CARGO_TARGET_DIR := $(CURDIR)/target
vestibule := target/debug/vestibule

.PHONY: help run dev check test e2e bench attack release docs clean-services prerequisites site server

help: ## show this help
	@grep -E '^[a-z0-9-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 24

run: server ## build everything and start the site, from a fresh checkout too
	@echo "run: starting"
	@exec $(vestibule) serve

dev: prerequisites ## like run, and again after each change
	@if command -v watchexec >/dev/null; then \
	  exec watchexec --restart -w app -w frontend -w migrations -w public -w server -w style -- $(MAKE) run; \
	elif command -v cargo-watch >/dev/null; then \
	  exec cargo watch -w app -w frontend -w migrations -w public -w server -w style -s '$(MAKE) run'; \
	else \
	  echo "dev: neither watchexec nor cargo-watch is installed, so changes will not restart the site"; \
	  exec $(MAKE) run; \
	fi

check: prerequisites ## formatting and lints: the quick part of test
	@echo "check: formatting"
	@cargo fmt --all --check
	@scripts/site.sh
	@echo "check: lints"
	@cargo clippy --all-targets -- -D warnings

test: ## everything that CI checks; starts and stops what it needs
	@scripts/test.sh

e2e: prerequisites ## browser tests only; ARGS="..." goes to Playwright
	@scripts/e2e.sh $(ARGS)

bench: prerequisites ## measure speed
	@scripts/bench.sh

attack: prerequisites ## measure what the time of an answer tells of an address, and what a flood leaves for others
	@scripts/attack.sh

release: prerequisites site ## one self-contained program: target/release/vestibule
	@echo "release: building"
	@cargo build --release --bin vestibule
	@echo "release: target/release/vestibule, $$(du -h target/release/vestibule | cut -f 1)"

docs: server ## write docs/configuration.md anew, from the settings in the code
	@$(vestibule) configuration >target/configuration.md
	@mv target/configuration.md docs/configuration.md
	@echo "docs: docs/configuration.md is as the code says"

clean-services: ## stop and remove the throw-away services of the tests
	@scripts/services.sh stop

prerequisites:
	@scripts/prerequisites.sh

site: prerequisites
	@scripts/site.sh

server: site
	@echo "server: building"
	@cargo build -p server
