"""The stores over Postgres are held to the same contracts as those over SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

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
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import metadata
from tests.contract.audit_log import AuditLogContract
from tests.contract.dataset_store import DatasetStoreContract, VersionStoreContract
from tests.contract.job_store import JobStoreContract
from tests.contract.record_store import RecordStoreContract
from tests.contract.token_store import TokenStoreContract
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def one_database(postgres: Postgres) -> Iterator[Database]:
    """Migrated; emptying it for each test is faster than making another."""
    database = connect(postgres.create())
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def database(one_database: Database) -> Database:
    with one_database.write() as connection:
        connection.execute(sa.text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
    return one_database


class TestPostgresJobStore(JobStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlJobStore(database)

    @pytest.fixture
    def records(self, database):
        return SqlRecordStore(database)


class TestPostgresRecordStore(RecordStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlRecordStore(database)

    @pytest.fixture
    def jobs(self, database):
        return SqlJobStore(database)


class TestPostgresDatasetStore(DatasetStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlDatasetStore(database)


class TestPostgresVersionStore(VersionStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlVersionStore(database)


class TestPostgresTokenStore(TokenStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlTokenStore(database)


class TestPostgresAuditLog(AuditLogContract):
    @pytest.fixture
    def store(self, database):
        return SqlAuditLog(database)
