"""Fixtures of the API's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.sql import connect, migrate
from tests.unit.api.installation import Install, Installation, build_installation


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "lorry.db"
    database = connect(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture
def install(_migrated: Path, tmp_path: Path) -> Iterator[Install]:
    """Builds an installation; keyword arguments are the API's options."""
    path = tmp_path / "lorry.db"
    shutil.copy(_migrated, path)
    database = connect(f"sqlite:///{path}")

    def build(**options: Any) -> Installation:
        return build_installation(database, tmp_path, **options)

    yield build
    database.close()


@pytest.fixture
def lorry(install: Install) -> Installation:
    return install()
