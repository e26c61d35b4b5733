#!/usr/bin/env bash
# Measures the release binary: start to first answer, memory, size, pages, sign-ins beside raw Argon2id.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
"$scripts/site.sh"
cargo build -q --release -p server
cargo build -q --release -p accounts --example argon2id
exec python3 scripts/bench.py target/release/vestibule target/release/examples/argon2id
