"""A private Postgres for tests: its own folder and port, nothing of the machine's own, gone with the test run."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

HOST = "127.0.0.1"
SUPABASE = Path(__file__).with_name("supabase.sql")
# Durability is Postgres' own affair; what is tested is ours. Killing it with `immediate` keeps its log either way.
SPEED = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
_UNPRIVILEGED = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root


class Postgres:
    """One server. `start` and `stop` may be called again and again; the data stay."""

    def __init__(self, folder: Path, *, speed: tuple[str, ...] = SPEED) -> None:
        self._speed = speed
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._programs = _programs()
        self._port = free_port()
        self._url = f"postgresql://lorry@{HOST}:{self._port}/postgres"
        self._numbers = itertools.count(1)
        if _UNPRIVILEGED:
            shutil.chown(folder, _UNPRIVILEGED)
        self._run("initdb", "--auth=trust", "--username=lorry", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")

    def start(self) -> None:
        """Returns when it takes connections."""
        options = [
            "-c",
            f"port={self._port}",
            "-c",
            f"listen_addresses={HOST}",
            "-c",
            "unix_socket_directories=",
            *self._speed,
        ]
        self._run("pg_ctl", "start", "--wait", f"--log={self._log}", f"--options={' '.join(options)}")

    def stop(self) -> None:
        """As a machine that loses its power does: no connection is told, nothing is finished."""
        self._run("pg_ctl", "stop", "--mode=immediate", "--wait")

    def create(self) -> str:
        """The URL of an empty store: a schema of its own, which takes no time and no room; a database takes both."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self._url}?options=-csearch_path%3D{name}"

    def create_database(self) -> str:
        """The URL of an empty store in a database of its own: for what is a whole database's affair."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"{self._url.rpartition('/')[0]}/{name}"

    def create_supabase(self) -> str:
        """The same, with what a Supabase project's database has before anybody makes a table in it."""
        url = self.create_database()
        self.make_supabase(url)
        return url

    def make_supabase(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SUPABASE.read_bytes())

    def execute(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = (str(self._programs / program), f"--pgdata={self._data}", *arguments)
        done = subprocess.run(  # noqa: PLW1510 - what it said is part of the failure
            command, user=_UNPRIVILEGED, cwd="/", capture_output=True, text=True, timeout=120
        )
        log = self._log.read_text()[-2_000:] if self._log.exists() else ""
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}{log}"


@contextmanager
def running_postgres(*, speed: tuple[str, ...] = SPEED) -> Iterator[Postgres]:
    """A started server, gone afterwards; without `speed`, as safe against a power cut as it comes.

    Not in pytest's folders: another user could not reach into those.
    """
    with tempfile.TemporaryDirectory(prefix="lorry-postgres-") as folder:
        server = Postgres(Path(folder), speed=speed)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    """Debian keeps the server's programs out of PATH, a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    assert on_path, "These tests start a Postgres of their own, and none is installed here: run tests/postgres.sh"
    return Path(on_path).resolve().parent


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
