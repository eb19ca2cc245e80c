"""Databases to test stores on, of both dialects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.sql import connect, migrate
from orchestrator.adapters.sql.engine import Database
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each dialect in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lorry.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture
def bare(url: str) -> Iterator[Database]:
    """An empty database: no table is made yet."""
    database = connect(url)
    yield database
    database.close()


@pytest.fixture
def migrated(bare: Database) -> Database:
    migrate(bare)
    return bare
