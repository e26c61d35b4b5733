#!/usr/bin/env bash
# Makes ready what the browser tests need: Chromium, Node.js and the packages of end2end/. The last line on stdout is
# the path of the browser; CHROMIUM=PATH chooses another one. Where this machine's Node.js is too old, a newer one
# is put into target/node/bin.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
node_needed=20
node_fallback=22

say() { echo "browser: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

find_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if browser=$(command -v "$name"); then return; fi
  done
  return 1
}

if [ -n "${CHROMIUM:-}" ]; then
  browser=$CHROMIUM
  [ -x "$browser" ] || fail "CHROMIUM is $browser, which is not a program."
elif ! find_browser; then
  "$scripts/packages.sh" Chromium chromium
  find_browser || fail "Chromium was installed, but is not on the PATH."
fi

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then "$scripts/packages.sh" Node.js "${missing[@]}"; fi

PATH=$PWD/target/node/bin:$PATH
recent_node() { [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$node_needed" ]; }
if ! recent_node; then
  say "Node.js $(node --version) is too old; getting version $node_fallback from npm"
  package=node-$(node -p 'process.platform + "-" + process.arch')
  npm install --silent --no-audit --no-fund --no-save --prefix target/node "$package@$node_fallback" >&2 ||
    fail "Node.js $node_needed or newer is needed and npm has none for this machine: install it yourself, then run this again."
  ln -sfn "node_modules/$package/bin" target/node/bin
  hash -r
  recent_node || fail "Node.js $node_needed or newer is needed, and what npm gave is $(node --version)."
fi

cd end2end
[ -e package-lock.json ] || fail "end2end/package-lock.json is missing, so nobody knows which packages to install."
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  say "installing the packages of end2end/"
  # The browser of this machine is used; the packages would each download one of their own.
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 PUPPETEER_SKIP_DOWNLOAD=1 npm ci --no-audit --no-fund >&2 ||
    fail "npm could not install the packages of end2end/ (above)."
fi

say "ready"
echo "$browser"
