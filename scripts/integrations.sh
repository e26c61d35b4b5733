#!/usr/bin/env bash
# Runs the code of the guides in docs/integrate as services of others would, and sends them tokens, good and forged.
# VESTIBULE_BIN and RESOURCE_SERVER_BIN, when set, are the programs to use.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
export CARGO_TARGET_DIR=$PWD/target

fail() {
  echo "integrations: $*" >&2
  exit 1
}

home=target/integrations-python
python=$PWD/$home/bin/python
# The list it was made from lies inside it, as proof that it was finished and is still the one asked for.
if ! [ -x "$python" ] || ! cmp -s "$scripts/integrations.txt" "$home/integrations.txt"; then
  if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    "$scripts/packages.sh" "Python with its venv module" python3 python3-venv
  fi
  echo "integrations: making $home" >&2
  rm -rf "$home"
  python3 -m venv "$home"
  "$python" -m pip install -q --no-input --disable-pip-version-check -r "$scripts/integrations.txt" >&2 ||
    fail "pip could not install what scripts/integrations.txt lists (above)."
  cp "$scripts/integrations.txt" "$home/integrations.txt"
fi

# Where browser.sh puts Node.js when the machine's own is too old.
export PATH=$PWD/target/node/bin:$PATH
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then "$scripts/packages.sh" Node.js "${missing[@]}"; fi

node_home=target/integrations-node
packages="express@~5.3.0 jose@~6.2.0"
if [ "$(cat "$node_home/packages" 2>/dev/null)" != "$packages" ]; then
  echo "integrations: making $node_home" >&2
  rm -rf "$node_home"
  mkdir -p "$node_home"
  # shellcheck disable=SC2086 # Two words.
  npm install --silent --no-audit --no-fund --prefix "$node_home" $packages >&2 ||
    fail "npm could not install $packages (above)."
  echo "$packages" >"$node_home/packages"
fi

# Debian keeps it where only root looks.
PATH=$PATH:/usr/sbin
if ! command -v nginx >/dev/null; then "$scripts/packages.sh" nginx nginx-light; fi

if [ -z "${VESTIBULE_BIN:-}" ]; then
  cargo build -q -p server
  VESTIBULE_BIN=$CARGO_TARGET_DIR/debug/vestibule
fi
if [ -z "${RESOURCE_SERVER_BIN:-}" ]; then
  cargo build -q -p server --example resource_server
  RESOURCE_SERVER_BIN=$CARGO_TARGET_DIR/debug/examples/resource_server
fi
exec "$python" scripts/integrations.py "$VESTIBULE_BIN" "$RESOURCE_SERVER_BIN" "$node_home"
