"""A private pgbouncer in front of a test's Postgres, in the pool mode that the test wants."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.postgres import HOST, free_port
from tests.waiting import eventually

CONFIG = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = {pool_mode}
default_pool_size = 60
max_client_conn = 200
"""
_UNPRIVILEGED = "postgres" if os.getuid() == 0 else None  # it refuses to run as root


@contextmanager
def running_pgbouncer(url: str, *, pool_mode: str) -> Iterator[str]:
    """The URL of the same database through a pooler, which is gone afterwards."""
    address, port = urlsplit(url), free_port()
    through = address._replace(netloc=f"{address.username}@{HOST}:{port}").geturl()
    with tempfile.TemporaryDirectory(prefix="lorry-pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        config, log = Path(folder, "pgbouncer.ini"), Path(folder, "log")
        Path(folder, "users.txt").write_text(f'"{address.username}" ""\n')
        config.write_text(
            CONFIG.format(host=HOST, server_port=address.port, port=port, folder=folder, pool_mode=pool_mode)
        )
        with log.open("w") as output:
            pooler = subprocess.Popen([_program(), config], user=_UNPRIVILEGED, cwd="/", stdout=output, stderr=output)
        try:
            eventually(lambda: _answers(through), within_seconds=10)
            yield through
        finally:
            pooler.terminate()
            pooler.wait(timeout=10)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found, "These tests start a pgbouncer of their own, and none is installed here: run tests/postgres.sh"
    return found
