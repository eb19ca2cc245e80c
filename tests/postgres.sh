#!/usr/bin/env bash
# Makes the programs of a Postgres server and of pgbouncer be here (Debian, Ubuntu): the tests start their own with them.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=images/steps.sh
. images/steps.sh

has_server_programs() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_pooler() { [ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null; }

if has_server_programs && has_pooler; then exit 0; fi

can_install_packages || fail "no Postgres server or no pgbouncer is installed here and I may not install them (that needs root on Debian or Ubuntu).
Install Postgres 14 or newer and pgbouncer; the tests only need their programs, nothing that runs."
say "no Postgres server programs or no pgbouncer here: installing them"
install_packages postgresql pgbouncer
has_server_programs || fail "postgresql was installed, yet its programs are not under /usr/lib/postgresql/"
has_pooler || fail "pgbouncer was installed, yet it is not at /usr/sbin/pgbouncer"
