#!/usr/bin/env bash
# build.sh [trainer|fake|all]: builds our images without a network inside the build, so that air-gapped sites build them too.
# An image whose sources have not changed since (label io.lorry.source-hash) is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. images/steps.sh

python=${PYTHON:-.venv/bin/python}
wheelhouse=build/wheelhouse
image_python=3.11 # of both base images

sha256_of() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

# source_hash FOLDER BASE_IMAGE: contents and names of the sources, and which base image they stand on.
source_hash() {
  local files
  mapfile -d '' files < <(find "$1" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z)
  printf '%s %s\n' "$(sha256_of "${files[@]}")" "$(docker image inspect --format '{{.Id}}' "$2")" | sha256sum | cut -d' ' -f1
}

image_has_hash() {
  [ "$(docker image inspect --format '{{index .Config.Labels "io.lorry.source-hash"}}' "$1" 2>/dev/null)" = "$2" ]
}

# ensure_wheelhouse REQUIREMENTS: what the image will install, downloaded on the host, where pip's own settings apply.
ensure_wheelhouse() {
  local stamp
  stamp=$(sha256_of "$1")
  [ "$(cat "$wheelhouse/.stamp" 2>/dev/null)" = "$stamp" ] && return
  rm -rf "$wheelhouse"
  mkdir -p "$wheelhouse"
  step wheelhouse "downloading the packages of $1" "$python" -m pip download --progress-bar off --dest "$wheelhouse" \
    --python-version "$image_python" --only-binary=:all: -r "$1"
  echo "$stamp" >"$wheelhouse/.stamp"
}

# send_context FOLDER [MORE]: the build context as a tar stream; readable by any user id, whatever the checkout's umask was.
send_context() {
  local folder=$1 more=()
  [ $# -eq 1 ] || more=(-C "$PWD/$(dirname "$2")" "$(basename "$2")")
  tar -c --owner=0 --group=0 --mode='u+rw,go+rX,go-w' --exclude=__pycache__ -C "$folder" . "${more[@]}"
}

# docker_build IMAGE BASE_IMAGE HASH CONTEXT...: the classic builder, the only one that every engine has.
docker_build() {
  local image=$1 base=$2 hash=$3
  shift 3
  send_context "$@" | DOCKER_BUILDKIT=0 docker build --network none --build-arg "BASE_IMAGE=$base" \
    --label "io.lorry.source-hash=$hash" --tag "$image" -
  docker image prune --force --filter label=io.lorry.source-hash
}

# build IMAGE FOLDER: with a wheelhouse in the context where the folder has requirements.
build() {
  local image=$1 folder=$2 context=("$2") hash
  hash=$(source_hash "$folder" "$base_image")
  if image_has_hash "$image" "$hash"; then
    say "$image is up to date"
    return
  fi
  if [ -f "$folder/requirements.txt" ]; then
    ensure_wheelhouse "$folder/requirements.txt"
    context+=("$wheelhouse")
  fi
  step "build-$image" "building $image from $folder" docker_build "$image" "$base_image" "$hash" "${context[@]}"
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
