"""The stores over SQLite, in a file, are held to their contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.sql import (
    SqlAuditLog,
    SqlDatasetStore,
    SqlJobStore,
    SqlRecordStore,
    SqlTokenStore,
    SqlVersionStore,
    connect,
    migrate,
)
from tests.contract.audit_log import AuditLogContract
from tests.contract.dataset_store import DatasetStoreContract, VersionStoreContract
from tests.contract.job_store import JobStoreContract
from tests.contract.record_store import RecordStoreContract
from tests.contract.token_store import TokenStoreContract


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated SQLite file: copying them is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "lorry.db"
    database = connect(f"sqlite:///{path}")
    migrate(database)
    database.close()  # the last connection to close writes the log into the file
    return path.read_bytes()


@pytest.fixture
def database(tmp_path: Path, empty_file: bytes):
    path = tmp_path / "lorry.db"
    path.write_bytes(empty_file)
    database = connect(f"sqlite:///{path}")
    yield database
    database.close()


class TestSqliteJobStore(JobStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlJobStore(database)

    @pytest.fixture
    def records(self, database):
        return SqlRecordStore(database)


class TestSqliteRecordStore(RecordStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlRecordStore(database)

    @pytest.fixture
    def jobs(self, database):
        return SqlJobStore(database)


class TestSqliteDatasetStore(DatasetStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlDatasetStore(database)


class TestSqliteVersionStore(VersionStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlVersionStore(database)


class TestSqliteTokenStore(TokenStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlTokenStore(database)


class TestSqliteAuditLog(AuditLogContract):
    @pytest.fixture
    def store(self, database):
        return SqlAuditLog(database)
