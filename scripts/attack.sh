#!/usr/bin/env bash
# attack.sh [BINARY [SAMPLES]]   measures what the time of an answer tells of an address, and what a flood of sign-ins leaves
# for others. Without BINARY, builds the release.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
binary=${1:-}
if [ -z "$binary" ]; then
  "$scripts/site.sh"
  cargo build --release --bin vestibule
  binary=${CARGO_TARGET_DIR:-target}/release/vestibule
fi
python3 scripts/flood.py "$binary"
exec python3 scripts/attack.py "$binary" "${@:2}"
