#!/usr/bin/env bash
# What no other script can bring along: Rust, and a C compiler for the libraries in C (SQLite, cryptography).
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v cargo >/dev/null; then
  echo "Rust is missing on this machine: install it from https://rustup.rs, open a new terminal, then run this again." >&2
  exit 1
fi
if ! command -v cc >/dev/null; then "$scripts/packages.sh" "A C compiler" build-essential; fi
