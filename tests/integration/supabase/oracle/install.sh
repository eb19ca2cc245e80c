#!/usr/bin/env bash
# Makes somebody else's Data API be here, which the tests hold their own against: what the lock file says.
set -euo pipefail
cd "$(dirname "$0")"
. ../../../../images/steps.sh

if ! cmp -s package-lock.json node_modules/.lock; then
  step npm-ci-oracle "installing @supabase/lite for the tests" ../../../../web/npm.sh ci --prefix "$PWD" --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.lock
fi
