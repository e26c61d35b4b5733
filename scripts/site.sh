#!/usr/bin/env bash
# Builds what the browser loads (WebAssembly, scripts, styles, pictures) into target/site, which the server embeds.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
manifest=target/site/manifest.json

sources=()
for path in frontend app style public Cargo.toml Cargo.lock; do
  if [ -e "$path" ]; then sources+=("$path"); fi
done
if [ -e "$manifest" ] && [ -z "$(find "${sources[@]}" -newer "$manifest" -print -quit)" ]; then
  echo "site: up to date"
  exit 0
fi

toolchain=$("$scripts/wasm-target.sh" | tail -n 1)
mkdir -p target/browser
touch target/browser/started

echo "site: compiling for the browser"
# A target directory of its own, because its compiler may differ from the server's. Flags meant for this
# machine's linker would break it.
env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR=target/browser \
  cargo ${toolchain:+"$toolchain"} build -p frontend --target wasm32-unknown-unknown --profile browser

echo "site: bundling"
# `--bin` and not `-p`: the features of the dependencies are then those of the whole workspace, and nothing is
# compiled a second time for the bundler alone.
CARGO_TARGET_DIR=target \
  cargo run -q --bin bundle -- target/browser/wasm32-unknown-unknown/browser/frontend.wasm target/site

# As of the start: what was edited while this ran is still newer, and is built the next time.
touch -r target/browser/started "$manifest"
echo "site: ready in target/site"
