#!/usr/bin/env bash
# build.sh [trainer|fake|all]: builds our images without a network inside the build, so that air-gapped sites build them too.
# An image whose sources have not changed since (label io.lorry.source-hash) is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. images/steps.sh

python=.venv/bin/python
wheelhouse=build/wheelhouse
image_python=3.11 # of both base images

# send_context FOLDER [MORE]: the build context as a tar stream: the same bytes for the same sources, readable by any user id,
# whatever the checkout's umask, times and owners are.
send_context() {
  local folder=$1 more=()
  [ $# -eq 1 ] || more=(-C "$PWD/$(dirname "$2")" "$(basename "$2")")
  tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u+rw,go+rX,go-w' \
    --exclude=__pycache__ --exclude='.*_cache' -C "$folder" . "${more[@]}"
}

# source_hash FOLDER: of the sources and the base image that they stand on.
source_hash() {
  { send_context "$1"; docker image inspect --format '{{.Id}}' "$base_image"; } | sha256sum | cut -d' ' -f1
}

image_has_hash() {
  [ "$(docker image inspect --format '{{index .Config.Labels "io.lorry.source-hash"}}' "$1" 2>/dev/null)" = "$2" ]
}

# ensure_wheelhouse REQUIREMENTS: what the image will install, downloaded on the host, where pip's own settings apply.
ensure_wheelhouse() {
  local stamp
  stamp=$(sha256sum <"$1")
  [ "$(cat "$wheelhouse/.stamp" 2>/dev/null)" = "$stamp" ] && return
  rm -rf "$wheelhouse"
  mkdir -p "$wheelhouse"
  step wheelhouse "downloading the packages of $1" "$python" -m pip download --progress-bar off --dest "$wheelhouse" \
    --python-version "$image_python" --only-binary=:all: -r "$1"
  echo "$stamp" >"$wheelhouse/.stamp"
}

# docker_build IMAGE HASH CONTEXT...: the classic builder, the only one that every engine has.
docker_build() {
  local image=$1 hash=$2
  shift 2
  send_context "$@" | DOCKER_BUILDKIT=0 docker build --network none --build-arg "BASE_IMAGE=$base_image" \
    --label "io.lorry.source-hash=$hash" --tag "$image" -
  docker image prune --force --filter label=io.lorry.source-hash
}

# build IMAGE FOLDER: with a wheelhouse in the context where the folder has requirements.
build() {
  local image=$1 folder=$2 hash
  local context=("$folder")
  hash=$(source_hash "$folder")
  if image_has_hash "$image" "$hash"; then
    say "$image is up to date"
    return
  fi
  if [ -f "$folder/requirements.txt" ]; then
    ensure_wheelhouse "$folder/requirements.txt"
    context+=("$wheelhouse")
  fi
  step "build-$image" "building $image from $folder" docker_build "$image" "$hash" "${context[@]}"
}

what=${1:-all}
base_image=$(images/base/build.sh)
case $what in
  trainer) build training-image images/trainer ;;
  fake) build lorry-fake-trainer images/fake_trainer ;;
  all)
    build lorry-fake-trainer images/fake_trainer
    build training-image images/trainer
    ;;
  *) fail "usage: images/build.sh [trainer|fake|all], not $what" ;;
esac
