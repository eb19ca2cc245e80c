#!/usr/bin/env bash
# Makes docker-compose be here, and the image lorry-tests-postgres of this machine's own Postgres programs: where no registry
# answers there is no official one, and its name is left to it. It behaves as compose.yaml expects of the official image.
set -euo pipefail
cd "$(dirname "$0")"
. ../../images/steps.sh

image=lorry-tests-postgres
programs=$(dirname "$(readlink -f "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)")")
hash=$(cat prepare.sh entrypoint.sh "$programs/postgres" | sha256sum | cut -d' ' -f1)

libraries() { ldd "$programs"/{postgres,initdb,psql,pg_dump,pg_isready} /bin/sh | grep -o '/[^ ]*' | grep -v ':$' | sort -u; }

rootfs() {
  local root=$1
  mkdir -p "$root"/{bin,etc,tmp,run/secrets,usr/bin,usr/share,var/run/postgresql,var/lib/postgresql/data}
  { libraries; ls -d "$programs"/{postgres,initdb,psql,pg_dump,pg_isready} "$("$programs/pg_config" --pkglibdir)"/*.so \
    "$("$programs/pg_config" --sharedir)" /usr/share/zoneinfo /bin/sh; } |
    tar -c --dereference --hard-dereference --exclude='llvmjit*' --files-from - 2>/dev/null | tar -x -C "$root"
  echo 'postgres:x:999:999::/var/lib/postgresql:/bin/sh' >"$root/etc/passwd"
  echo 'postgres:x:999:' >"$root/etc/group"
  install -m 0755 entrypoint.sh "$root/bin/entrypoint.sh"
  chmod 1777 "$root/tmp"
  chown -R 999:999 "$root"/var/{run,lib}/postgresql
}

pack() {
  rootfs "$1"
  tar -C "$1" -c . | docker import --change "ENV PATH=$programs:/bin" --change 'USER 999:999' \
    --change 'ENTRYPOINT ["entrypoint.sh"]' --change "LABEL io.lorry.source-hash=$hash" - "$image"
}

has_image() { [ "$(docker image inspect --format '{{index .Config.Labels "io.lorry.source-hash"}}' "$image" 2>/dev/null)" = "$hash" ]; }

has_compose() { command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1; }

if ! has_compose; then
  can_install_packages || fail "no Docker Compose is installed here and I may not install it (that needs root on Debian or Ubuntu)."
  install_packages docker-compose
fi
if ! has_image; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  step tests-postgres "packing this machine's Postgres into the image $image" pack "$scratch"
fi
