#!/usr/bin/env bash
# Makes target/python, a Python with the packages of scripts/requirements.txt: an SMTP server and a reader of JSON
# Web Tokens that nobody here wrote, for tests against them. Prints the path of its python.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(dirname "$scripts")/target/python
python=$home/bin/python

# The list it was made from lies inside it, as proof that it was finished and is still the one asked for.
if [ -x "$python" ] && cmp -s "$scripts/requirements.txt" "$home/requirements.txt"; then
  echo "python: ready" >&2
  echo "$python"
  exit 0
fi

if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
  "$scripts/packages.sh" "Python with its venv module" python3 python3-venv
fi

echo "python: making target/python" >&2
rm -rf "$home"
python3 -m venv "$home"
"$python" -m pip install -q --no-input --disable-pip-version-check -r "$scripts/requirements.txt" >&2 || {
  echo "python: pip could not install what scripts/requirements.txt lists (above)." >&2
  exit 1
}
cp "$scripts/requirements.txt" "$home/requirements.txt"
echo "python: ready" >&2
echo "$python"
