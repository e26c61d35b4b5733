#!/usr/bin/env bash
# schemathesis.sh [--full] [--seed NUMBER]   makes up requests from the OpenAPI document, and checks the answers.
#   without --full   some 1,000 calls on SQLite, in seconds
#   --full           at least 5,000 on SQLite, and as many on PostgreSQL: that of VESTIBULE_TEST_POSTGRES_URL when it
#                    is set, else a throw-away one
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
home=$PWD/target/schemathesis-python
python=$home/bin/python
# A new minor version has new checks, which may find what is there already: not on somebody else's pull request.
package='schemathesis==4.32.*'

# What it was made for lies inside it, as proof that it was finished and is still what is asked for.
if [ ! -x "$python" ] || [ "$(cat "$home/made-for" 2>/dev/null)" != "$package" ]; then
  if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    "$scripts/packages.sh" "Python with its venv module" python3 python3-venv
  fi
  echo "schemathesis: making target/schemathesis-python" >&2
  rm -rf "$home"
  python3 -m venv "$home"
  "$python" -m pip install -q --no-input --disable-pip-version-check "$package" >&2 || {
    echo "schemathesis: pip could not install $package (above)." >&2
    exit 1
  }
  echo "$package" >"$home/made-for"
fi

on() { "$python" -I scripts/schemathesis.py "${VESTIBULE_BIN:-target/debug/vestibule}" "$@"; }

sql() { psql "$VESTIBULE_TEST_POSTGRES_URL" -qc "$1"; }

failed=
on "$@" || failed=yes
if [[ " $* " == *" --full "* ]]; then
  started_services=
  schema=
  finish() {
    if [ -n "$schema" ]; then sql "SET client_min_messages = error; DROP SCHEMA $schema CASCADE" || true; fi
    if [ -n "$started_services" ]; then "$scripts/services.sh" stop || true; fi
  }
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [ -z "${VESTIBULE_TEST_POSTGRES_URL:-}" ]; then
    # One that runs already belongs to whoever started it, and is left running.
    if ! "$scripts/services.sh" env >/dev/null 2>&1; then started_services=yes; fi
    "$scripts/services.sh" start
    line=$("$scripts/services.sh" env)
    eval "$line"
  fi
  name=schemathesis_$$_$(date +%s)
  sql "CREATE SCHEMA $name"
  schema=$name
  on --database "$VESTIBULE_TEST_POSTGRES_URL?options=-csearch_path%3D$schema" "$@" || failed=yes
fi
[ -z "$failed" ]
