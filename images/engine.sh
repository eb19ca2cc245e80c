#!/usr/bin/env bash
# Makes a Docker Engine answer: a reachable one is used as it is, otherwise one is installed (Debian, Ubuntu) and started.
set -euo pipefail
cd "$(dirname "$0")"
. ./steps.sh

engine_log=/var/log/lorry-dockerd.log
ready_within_s=60

engine_answers() { command -v docker >/dev/null && timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# The engine takes any live process with a recorded pid for itself, also after a reboot gave that pid to another program.
forget_dead() {
  local program=$1 pid_file=$2 pid
  [ -f "$pid_file" ] || return 0
  pid=$(cat "$pid_file")
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$program" ] || rm -f "$pid_file"
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    return
  fi
  forget_dead dockerd /var/run/docker.pid
  forget_dead containerd /var/run/docker/containerd/containerd.pid
  if [ ! -f /var/run/docker.pid ]; then
    setsid dockerd </dev/null >>"$engine_log" 2>&1 &
  fi
}

wait_until_ready() {
  local deadline=$((SECONDS + ready_within_s))
  until engine_answers; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 20 "$engine_log" 2>/dev/null
      echo "dockerd did not answer within $ready_within_s s; its log is $engine_log (or: journalctl -u docker)"
      return 1
    fi
    sleep 0.2
  done
}

if engine_answers; then exit 0; fi

[ -z "${DOCKER_HOST:-}" ] || fail "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST to use a local one"
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
  can_install_packages || fail "no Docker Engine answers here and I may not install one (that needs root on Debian or Ubuntu).
Install Docker Engine 20.10 or newer and let this user reach its socket (group docker), or set DOCKER_HOST to a running one."
  say "no Docker Engine answers here: installing docker.io and iptables"
  install_packages docker.io iptables
fi
[ "$(id -u)" -eq 0 ] || fail "Docker Engine is installed but does not answer this user.
Start it (sudo systemctl start docker) and let this user reach its socket (sudo usermod -aG docker $(id -un), then log in again)."
start_engine
step engine "starting Docker Engine (log: $engine_log)" wait_until_ready
say "Docker Engine $(docker version --format '{{.Server.Version}}') answers"
