#!/usr/bin/env bash
# Makes the programs of a Postgres server be here (Debian, Ubuntu): the tests start private servers with them.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=images/steps.sh
. images/steps.sh

has_server_programs() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }

if has_server_programs; then exit 0; fi

can_install_packages || fail "no Postgres server is installed here and I may not install one (that needs root on Debian or Ubuntu).
Install Postgres 14 or newer; the tests only need its programs (initdb, pg_ctl), no running server."
say "no Postgres server programs here: installing postgresql"
install_packages postgresql
has_server_programs || fail "postgresql was installed, yet its programs are not under /usr/lib/postgresql/"
