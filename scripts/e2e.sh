#!/usr/bin/env bash
# e2e.sh [ARGUMENT...]   runs the browser tests; the arguments go to `playwright test`. Playwright starts the servers.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
export CARGO_TARGET_DIR=$PWD/target

CHROMIUM=$("$scripts/browser.sh" | tail -n 1)
"$scripts/site.sh"
echo "e2e: building the server"
cargo build -q -p server

export CHROMIUM
export VESTIBULE_BIN=$CARGO_TARGET_DIR/debug/vestibule
# Where browser.sh puts Node.js when the machine's own is too old.
export PATH=$CARGO_TARGET_DIR/node/bin:$PATH
# Playwright would wait in front of its report after a failure.
export PLAYWRIGHT_HTML_OPEN=never

echo "e2e: running the browser tests"
cd end2end
exec npx playwright test "$@"
