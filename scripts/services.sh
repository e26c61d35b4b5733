#!/usr/bin/env bash
# services.sh start | stop | env   a throw-away PostgreSQL for the tests of this checkout.
#   start   starts it, or says that it runs
#   env     prints the line for the shell that tells the tests where it is; fails when it does not run
#   stop    stops it and removes all of it
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$scripts")

say() { echo "test PostgreSQL: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# Not inside the project: when root runs this, PostgreSQL runs as somebody who may not be allowed to read it.
# For the same reason root does not use XDG_RUNTIME_DIR, which is closed to everybody else.
base=${TMPDIR:-/tmp}
if [ "$UID" = 0 ]; then base=/tmp; elif [ -n "${XDG_RUNTIME_DIR:-}" ]; then base=$XDG_RUNTIME_DIR; fi
dir=${base%/}/vestibule-test-postgres-$UID-$(printf %s "$project" | cksum | cut -d ' ' -f 1)
data=$dir/data

# PostgreSQL refuses to run as root.
owner=$(id -un)
if [ "$UID" = 0 ]; then
  owner=nobody
  if id postgres >/dev/null 2>&1; then owner=postgres; fi
fi
as_owner() (
  cd /
  if [ "$UID" != 0 ]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u "$owner" -- "$@"
  else
    su -s /bin/sh "$owner" -c "$(printf '%q ' "$@")"
  fi
)

# Sets `bin` to the directory of PostgreSQL's programs: Debian keeps them off the PATH. The newest wins.
find_programs() {
  local program
  if program=$(command -v initdb) && command -v pg_ctl >/dev/null; then
    bin=$(dirname "$program")
    return
  fi
  program=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  bin=$(dirname "$program")
  [ -x "$program" ]
}

# Sets `pid` and `port` from the server's own note. True only while that process is this very server: after a
# crash the number may belong to somebody else's process, which must be neither used nor stopped.
running() {
  local note command
  [ -r "$data/postmaster.pid" ] || return 1
  mapfile -t note <"$data/postmaster.pid"
  pid=${note[0]:-} port=${note[3]:-}
  [ -n "$pid" ] && [ -n "$port" ] || return 1
  if [ -r "/proc/$pid/cmdline" ]; then
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
  else
    command=$(ps -ww -o args= -p "$pid" 2>/dev/null) || return 1
  fi
  [[ $command == *"$data "* ]]
}

spare_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null ||
    echo $((20000 + RANDOM % 12000))
}

remove() {
  # /tmp is everybody's: what somebody else has put in our place is theirs, not ours to use or to remove.
  if [ -e "$dir" ] && [ -z "$(find "$dir" -maxdepth 0 -type d \( -user "$owner" -o -user "$UID" \))" ]; then
    fail "$dir belongs to somebody else: remove it, then run this again."
  fi
  rm -rf "$dir"
}

start() {
  if running; then
    say "already running on port $port"
    return
  fi
  find_programs || {
    "$scripts/packages.sh" PostgreSQL postgresql
    find_programs || fail "installed, but initdb is neither on the PATH nor in /usr/lib/postgresql/*/bin."
  }
  if [ "$UID" = 0 ] && id postgres >/dev/null 2>&1; then owner=postgres; fi

  remove
  mkdir -m 700 "$dir"
  if [ "$UID" = 0 ]; then chown "$owner" "$dir"; fi
  as_owner "$bin/initdb" -D "$data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null ||
    fail "initdb failed (above)."
  # Nothing here outlives the tests, so nothing waits for the disk. Many connections: each test has its own pool.
  as_owner tee -a "$data/postgresql.conf" >/dev/null <<T
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
max_connections = 400
fsync = off
synchronous_commit = off
full_page_writes = off
T

  # Another program may take the port between the choice and its use.
  local attempt
  for attempt in 1 2 3 4 5; do
    if as_owner "$bin/pg_ctl" start -s -w -t 60 -D "$data" -l "$dir/log" -o "-p $(spare_port)" </dev/null >/dev/null 2>&1; then
      running || fail "it started and went away; see $dir/log."
      say "running on port $port"
      return
    fi
    grep -q 'could not bind' "$dir/log" 2>/dev/null || break
    as_owner rm -f "$dir/log"
  done
  tail -n 5 "$dir/log" >&2 || true
  fail "it did not start (above; try $attempt)."
}

stop() {
  if running; then
    find_programs || fail "it runs, but pg_ctl is gone: end process $pid yourself."
    as_owner "$bin/pg_ctl" stop -s -w -m immediate -D "$data" >/dev/null || fail "it did not stop."
    remove
    say "stopped and removed"
  else
    remove
    say "not running"
  fi
}

env_line() {
  running || fail "not running; start it with scripts/services.sh start."
  echo "export VESTIBULE_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  env) env_line ;;
  *)
    echo "usage: scripts/services.sh start | stop | env" >&2
    exit 2
    ;;
esac
