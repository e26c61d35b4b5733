#!/usr/bin/env bash
# Measures the release binary: start to first answer, memory, size, pages, sign-ins beside raw Argon2id, and requests with
# tokens beside a bare axum "hello".
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
"$scripts/site.sh"
if ! command -v wrk >/dev/null; then "$scripts/packages.sh" wrk wrk; fi
# All in one call: apart, their dependencies would be built twice, with other features.
cargo build --release --bin vestibule --example argon2id --example hello
exec python3 scripts/bench.py target/release/vestibule target/release/examples/argon2id target/release/examples/hello
