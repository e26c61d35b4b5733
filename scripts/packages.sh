#!/usr/bin/env bash
# packages.sh WHAT PACKAGE...   installs Debian packages for the other scripts, without asking anything.
# WHAT names the thing that is missing; it is part of the one sentence said when it cannot be had.
set -euo pipefail

what=$1
shift

give_up() {
  echo "$what is missing and $1: install it yourself (Debian: apt-get install $packages), then run this again." >&2
  exit 1
}

packages="$*"
command -v apt-get >/dev/null || give_up "this machine has no apt-get"

# `sudo -n`: a script that waits for a password would hang wherever nobody is watching.
SUDO=
if [ "$(id -u)" != 0 ]; then
  SUDO="sudo -n"
  $SUDO true 2>/dev/null || give_up "sudo is not possible without a password"
fi

echo "$what: installing $packages" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $SUDO env DEBIAN_FRONTEND=noninteractive apt-get -yq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null; }

# An update that fails is no reason to stop: the lists already here may be good enough.
apt update || true
apt install --no-install-recommends "$@" ||
  give_up "apt-get could not install it ($(grep '^E:' "$log" | tail -n 1 || true))"
