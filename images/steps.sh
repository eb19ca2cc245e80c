# shellcheck shell=bash
# Sourced by the scripts of this folder: timed steps with a visible heartbeat, and Debian packages on demand.
# Everything here speaks on stderr, so that a script's stdout can carry its answer.

step_logs=${TMPDIR:-/tmp}/lorry-steps-$(id -u)

say() { printf '==> %s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step NAME "what it does" COMMAND...: runs the command, its output in NAME.log; every 10 s shows the last line of that.
step() {
  local log=$step_logs/$1.log what=$2 began=$SECONDS status=0
  shift 2
  mkdir -p "$step_logs"
  say "$what"
  : >"$log"
  heartbeat "$log" &
  local heart=$!
  set +e
  (set -e; "$@") >"$log" 2>&1
  status=$?
  set -e
  kill "$heart" 2>/dev/null
  wait "$heart" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    tail -n 30 "$log" >&2
    fail "$what: exit status $status, everything it said is in $log"
  fi
  printf '    %d s\n' "$((SECONDS - began))" >&2
}

heartbeat() {
  local began=$SECONDS
  while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    printf '    %d s: %s\n' "$((SECONDS - began))" "$(tail -n 1 "$1" | tr -dc '[:print:]' | cut -c1-100)" >&2
  done
}

can_install_packages() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

install_packages() {
  local apt=(apt-get -o DPkg::Lock::Timeout=120)
  export DEBIAN_FRONTEND=noninteractive
  step apt-update "apt-get update" "${apt[@]}" update
  step apt-install "apt-get install $*" "${apt[@]}" install -y --no-install-recommends "$@"
}
