#!/usr/bin/env bash
# Measures the release binary: start to first answer, memory, size, pages, sign-ins beside raw Argon2id.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
"$scripts/site.sh"
# Both in one call: apart, their dependencies would be built twice, with other features.
cargo build --release --bin vestibule --example argon2id
exec python3 scripts/bench.py target/release/vestibule target/release/examples/argon2id
