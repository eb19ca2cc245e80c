"""A migrated SQLite store in a temporary folder, and a world over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.sql import connect, migrate
from orchestrator.adapters.sql.engine import Database
from orchestrator.services.reproduction import Reproduction
from tests.unit.services.reproducing import reproduction_over
from tests.unit.services.world import World


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated SQLite file: copying them is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "lorry.db"
    database = connect(f"sqlite:///{path}")
    migrate(database)
    database.close()  # the last connection to close writes the log into the file
    return path.read_bytes()


@pytest.fixture
def database(tmp_path: Path, empty_store: bytes) -> Iterator[Database]:
    path = tmp_path / "lorry.db"
    path.write_bytes(empty_store)
    database = connect(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def reproduction(world: World) -> Reproduction:
    return reproduction_over(world, world.models)
