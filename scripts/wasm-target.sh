#!/usr/bin/env bash
# Makes a compiler for wasm32-unknown-unknown available. The last line on stdout is the toolchain argument
# for cargo: empty for the default toolchain, `+web` for the fallback. All else is said on stderr.
#
# 1. The default toolchain, when it has the target or `rustup target add` can give it
#    (NO_RUSTUP_DOWNLOAD=1 skips the download: for machines that cannot reach rustup's server, and to try 2).
# 2. The fallback: Debian's rustc-web, with the standard library built once from rust-web-src and registered
#    with rustup as the toolchain `web`.
set -euo pipefail

target=wasm32-unknown-unknown
name=web
dir=${XDG_DATA_HOME:-$HOME/.local/share}/rust-web
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "wasm target: $*" >&2; }
fail() {
  say "$*"
  exit 1
}
ready() {
  say "ready ($1)"
  echo "$2"
  exit 0
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Links a real module: a standard library left behind by another version of the compiler, or a linker that
# has gone, looks fine on disk and fails only here.
works() {
  echo 'pub fn f() -> String { String::new() }' |
    rustc "$@" --target "$target" --crate-type cdylib -o "$work/try.wasm" - >/dev/null 2>&1
}

command -v rustc >/dev/null ||
  fail "there is no Rust on this machine: install it from https://rustup.rs, then run this again."
if works; then ready "default toolchain" ""; fi

command -v rustup >/dev/null ||
  fail "the compiler here lacks $target and there is no rustup to add it: install Rust from https://rustup.rs."
if works "+$name"; then ready "toolchain $name" "+$name"; fi

if [ -z "${NO_RUSTUP_DOWNLOAD:-}" ]; then
  say "asking rustup for it"
  limit=
  if command -v timeout >/dev/null; then limit="timeout 120"; fi
  if $limit rustup target add "$target" >"$work/rustup.log" 2>&1 && works; then ready "default toolchain" ""; fi
fi

if ! [ -x /usr/bin/rustc ] || ! dpkg -s rustc-web rust-web-src >/dev/null 2>&1; then
  "$scripts/packages.sh" "rustup could not download $target; its substitute rustc-web" rustc-web rust-web-src
fi

say "building its standard library once (about a minute)"
host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
# By its own path: the `cargo` on PATH is rustup's proxy, which would choose the compiler itself.
cargo=$(rustup which cargo)
lld=$(dirname "$(dirname "$cargo")")/lib/rustlib/$host/bin/rust-lld
[ -x "$lld" ] || fail "rustup's toolchain has no rust-lld, which links WebAssembly: update it with 'rustup update'."

mkdir -p "$work/empty/src"
: >"$work/empty/src/lib.rs"
cat >"$work/empty/Cargo.toml" <<'T'
[package]
name = "empty"
version = "0.0.0"
edition = "2021"

[profile.release]
debug = 0
codegen-units = 1
panic = "abort"
T
# RUSTC_BOOTSTRAP: building the standard library is an unstable feature of cargo, and this compiler is stable.
# The bitcode lets the browser's profile optimise across crates (LTO).
(
  cd "$work/empty"
  unset CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target RUSTFLAGS=-Cembed-bitcode=yes \
    "$cargo" build -q --release --target "$target" -Z build-std=std,panic_abort,test >"$work/build.log" 2>&1
) || {
  tail -n 20 "$work/build.log" >&2
  fail "the standard library did not build (above)."
}

# A sysroot of links around the new library. It is laid out aside and then moved, so that an interrupted run
# leaves no half toolchain.
new=$dir.new.$$
trap 'rm -rf "$work" "$new"' EXIT
mkdir -p "$new/bin" "$new/lib/rustlib/$target/lib" "$new/lib/rustlib/$host/bin"
cp "$work/target/$target/release/deps/"*.rlib "$new/lib/rustlib/$target/lib/"
rm -f "$new/lib/rustlib/$target/lib/libempty-"*.rlib
ln -s "/usr/lib/rustlib/$host/lib" "$new/lib/rustlib/$host/lib"
ln -s /usr/lib/rustlib/etc "$new/lib/rustlib/etc"
ln -s "$lld" "$new/lib/rustlib/$host/bin/rust-lld"
ln -s "$cargo" "$new/bin/cargo"
for program in rustc rustdoc; do
  printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$program" "$dir" >"$new/bin/$program"
  chmod +x "$new/bin/$program"
done
rm -rf "$dir"
mv "$new" "$dir"
rustup toolchain link "$name" "$dir" >/dev/null 2>&1

works "+$name" || fail "the toolchain $name was built, but cannot compile for $target."
ready "toolchain $name, $(rustc "+$name" --version)" "+$name"
