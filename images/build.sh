#!/usr/bin/env bash
# build.sh [all|fake|trainer|lorry]...: builds our images without a network inside the build, so that air-gapped sites build them too.
# An image whose sources have not changed since (label io.lorry.source-hash) is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. images/steps.sh

python=.venv/bin/python
image_python=3.11 # of both base images
lorry_sources=(api cli configs orchestrator pyproject.toml constraints.txt)

# send_context FOLDER [MORE...]: the build context as a tar stream: the same bytes for the same sources, readable by any user id,
# whatever the checkout's umask, times and owners are.
send_context() {
  local folder=$1 path more=()
  for path in "${@:2}"; do more+=(-C "$PWD/$(dirname "$path")" "$(basename "$path")"); done
  tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u+rw,go+rX,go-w' \
    --exclude=__pycache__ --exclude='.*_cache' -C "$folder" . "${more[@]}"
}

# source_hash FOLDER [MORE...]: of the sources and the base image that they stand on.
source_hash() {
  { send_context "$@"; docker image inspect --format '{{.Id}}' "$base_image"; } | sha256sum | cut -d' ' -f1
}

image_has_hash() {
  [ "$(docker image inspect --format '{{index .Config.Labels "io.lorry.source-hash"}}' "$1" 2>/dev/null)" = "$2" ]
}

# ensure_wheelhouse WHEELHOUSE REQUIREMENTS [CONSTRAINTS]: what the image will install, downloaded on the host, where pip's own
# settings apply.
ensure_wheelhouse() {
  local wheelhouse=$1 requirements=$2 stamp
  stamp=$(cat "${@:2}" | sha256sum)
  [ "$(cat "$wheelhouse/.stamp" 2>/dev/null)" = "$stamp" ] && return
  rm -rf "$wheelhouse"
  mkdir -p "$wheelhouse"
  step wheelhouse "downloading the packages of $requirements" "$python" -m pip download --progress-bar off \
    --dest "$wheelhouse" --python-version "$image_python" --only-binary=:all: -r "$requirements" ${3:+--constraint "$3"}
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

# is_current IMAGE HASH
is_current() {
  image_has_hash "$1" "$2" && say "$1 is up to date"
}

build_fake() {
  local hash
  hash=$(source_hash images/fake_trainer)
  is_current lorry-fake-trainer "$hash" && return
  step build-fake "building lorry-fake-trainer" docker_build lorry-fake-trainer "$hash" images/fake_trainer
}

build_trainer() {
  local hash wheelhouse=build/trainer/wheelhouse
  hash=$(source_hash images/trainer)
  is_current training-image "$hash" && return
  ensure_wheelhouse "$wheelhouse" images/trainer/requirements.txt
  step build-trainer "building training-image" docker_build training-image "$hash" images/trainer "$wheelhouse"
}

# What pyproject.toml says Lorry needs, as the requirements file that the image's own layer of packages is made from.
lorry_requirements() {
  "$python" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")'
}

lorry_wheel() {
  rm -rf "$1"
  "$python" -m pip wheel --no-deps --wheel-dir "$1" .
}

build_lorry() {
  local hash folder=build/lorry
  hash=$(source_hash images/api "${lorry_sources[@]}")
  is_current lorry "$hash" && return
  mkdir -p "$folder"
  lorry_requirements >"$folder/requirements.txt"
  ensure_wheelhouse "$folder/wheelhouse" "$folder/requirements.txt" constraints.txt
  step lorry-wheel "packing Lorry itself" lorry_wheel "$folder/wheel"
  step build-lorry "building lorry" docker_build lorry "$hash" images/api "$folder"/{requirements.txt,wheelhouse,wheel}
}

[ $# -gt 0 ] || set -- all
base_image=$(images/base/build.sh)
for what in "$@"; do
  case $what in
    fake | trainer | lorry) "build_$what" ;;
    all)
      build_fake
      build_trainer
      build_lorry
      ;;
    *) fail "usage: images/build.sh [all|fake|trainer|lorry]..., not $what" ;;
  esac
done
