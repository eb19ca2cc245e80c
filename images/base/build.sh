#!/usr/bin/env bash
# Prints the name of the base image for our Dockerfiles, and makes sure that the engine has it: one that is there already,
# else the official Python image where a registry answers, else one built from Debian packages (docs/decisions/0002).
set -euo pipefail
cd "$(dirname "$0")"
. ../steps.sh

official=python:3.11-slim-bookworm
own=lorry-base:bookworm
registry_answers_within_s=30
scratch=../../build/base-rootfs
packages=python3,python3-pip,python3-venv,ca-certificates

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

# A blocked network can hang a pull for minutes, a slow one needs them: only the time to the first answer is bounded.
pull() {
  local answer pull_pid
  answer=$(mktemp)
  docker pull "$1" >"$answer" 2>&1 &
  pull_pid=$!
  (sleep "$registry_answers_within_s"; grep -q 'Pulling from' "$answer" || kill "$pull_pid") >/dev/null 2>&1 &
  local watch=$! status=0
  wait "$pull_pid" || status=$?
  kill "$watch" 2>/dev/null || true
  rm -f "$answer"
  return "$status"
}

need_debootstrap() {
  [ "$(id -u)" -eq 0 ] && command -v debootstrap >/dev/null && return
  can_install_packages || fail "no registry answers for $official and I may not build a base image (that needs root on Debian or Ubuntu).
Bring one here with 'docker load', tag it $official, and run this again."
  install_packages debootstrap debian-archive-keyring
}

# The mirror that this machine's apt uses for Debian; nothing (debootstrap's own default) on another distribution.
configured_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p
}

debian_rootfs() {
  debootstrap --variant=minbase --include="$packages" bookworm "$1" $(configured_mirror)
  # Not the .pyc files: without them every start of Python on a read-only root filesystem compiles what it imports.
  rm -rf "$1"/var/cache/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/usr/share/{man,info,locale}/* "$1"/etc/{hostname,resolv.conf}
  find "$1/usr/share/doc" ! -type d ! -name copyright -delete
}

import_rootfs() {
  tar -C "$1" -c . | docker import --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' - "$own"
}

build_own() {
  need_debootstrap
  trap 'rm -rf "$scratch"' EXIT
  rm -rf "$scratch"
  mkdir -p "$scratch"
  step base-rootfs "no registry answers: building a base image from Debian packages (about a minute)" debian_rootfs "$scratch"
  step base-import "importing it as $own" import_rootfs "$scratch"
}

for image in "$official" "$own"; do
  if image_exists "$image"; then
    echo "$image"
    exit 0
  fi
done
say "docker pull $official"
if pull "$official"; then
  echo "$official"
else
  build_own
  echo "$own"
fi
