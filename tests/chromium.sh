#!/usr/bin/env bash
# Makes a Chromium be here (Debian, Ubuntu), in which the tests of the web app are its user.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=images/steps.sh
. images/steps.sh

if command -v chromium >/dev/null; then exit 0; fi

can_install_packages || fail "no chromium is installed here and I may not install it (that needs root on Debian or Ubuntu)."
say "no chromium here: installing it"
install_packages chromium
command -v chromium >/dev/null || fail "chromium was installed, yet it is not in the path"
