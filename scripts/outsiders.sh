#!/usr/bin/env bash
# Runs the program against parts nobody here wrote: curl, a real SMTP server, an independent JWT library.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$scripts/.."
python=$("$scripts/python.sh" | tail -n 1)
exec "$python" scripts/outsiders.py "${VESTIBULE_BIN:-target/debug/vestibule}"
