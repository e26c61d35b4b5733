#!/usr/bin/env bash
# All that CI checks: formatting, lints, tests on SQLite and PostgreSQL, browsers, and programs of others.
# VESTIBULE_TEST_POSTGRES_URL, when set, is the PostgreSQL to use; else a throw-away one is started.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
# Where the later steps look for what the earlier ones built, whatever this machine's cargo is told elsewhere.
export CARGO_TARGET_DIR=$PWD/target

SECONDS=0
current=start
started_services=
passed=
step() {
  current=$1
  echo
  echo "== $SECONDS s: $current"
}
finish() {
  local status=$?
  trap - EXIT
  if [ -n "$started_services" ]; then "$scripts/services.sh" stop || true; fi
  echo
  # Not the status alone: it is 0 when a signal ends the run between two commands.
  if [ -n "$passed" ]; then
    echo "make test: everything passed in $SECONDS s"
  else
    echo "make test: FAILED at \"$current\" after $SECONDS s" >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

"$scripts/prerequisites.sh"

step "formatting"
cargo fmt --all --check

step "site"
"$scripts/site.sh"

step "lints"
cargo clippy --all-targets -- -D warnings

step "services"
if [ -n "${VESTIBULE_TEST_POSTGRES_URL:-}" ]; then
  echo "test PostgreSQL: the one of VESTIBULE_TEST_POSTGRES_URL"
else
  # One that runs already belongs to whoever started it, and is left running.
  if ! "$scripts/services.sh" env >/dev/null 2>&1; then started_services=yes; fi
  "$scripts/services.sh" start
  line=$("$scripts/services.sh" env)
  eval "$line"
fi
export VESTIBULE_TEST_POSTGRES_URL

step "unit and integration tests"
if command -v cargo-nextest >/dev/null; then
  cargo nextest run
else
  cargo test --lib --bins --tests
fi

step "server"
cargo build -p server

step "browser tests"
"$scripts/e2e.sh"

step "against parts of others"
"$scripts/outsiders.sh"

step "guides for other services"
"$scripts/integrations.sh"

step "requests made from the description"
"$scripts/schemathesis.sh"

passed=yes
