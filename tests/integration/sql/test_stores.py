"""The stores are held to their contracts over SQLite, in a file, and over Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import (
    SqlAnalysisStore,
    SqlArtifactTicketStore,
    SqlAuditLog,
    SqlContainerStore,
    SqlControlStore,
    SqlDatasetStore,
    SqlDownloadStore,
    SqlExperimentStore,
    SqlJobStore,
    SqlModelRegistry,
    SqlNewsStore,
    SqlOutbox,
    SqlRecordStore,
    SqlSampleStore,
    SqlTicketStore,
    SqlTokenStore,
    SqlTrash,
    SqlVersionStore,
    SqlWebhookStore,
    connect,
    migrate,
)
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import metadata
from orchestrator.domain.events import status_event
from tests.contract.analysis_store import AnalysisStoreContract
from tests.contract.artifact_ticket_store import ArtifactTicketStoreContract
from tests.contract.audit_log import AuditLogContract
from tests.contract.control_store import ContainerStoreContract, ControlStoreContract
from tests.contract.dataset_store import DatasetStoreContract, VersionStoreContract
from tests.contract.download_store import DownloadStoreContract
from tests.contract.experiment_store import ExperimentStoreContract
from tests.contract.job_store import JobStoreContract
from tests.contract.model_registry import ModelRegistryContract
from tests.contract.news_store import NewsStoreContract
from tests.contract.record_store import RecordStoreContract
from tests.contract.sample_store import SampleStoreContract
from tests.contract.ticket_store import TicketStoreContract
from tests.contract.token_store import TokenStoreContract
from tests.contract.trash import TrashContract
from tests.contract.webhook_store import WebhookStoreContract
from tests.factories import make_job
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated SQLite file: copying them is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "lorry.db"
    database = connect(f"sqlite:///{path}")
    migrate(database)
    database.close()  # the last connection to close writes the log into the file
    return path.read_bytes()


@pytest.fixture
def sqlite_database(tmp_path: Path, empty_file: bytes) -> Iterator[Database]:
    path = tmp_path / "lorry.db"
    path.write_bytes(empty_file)
    database = connect(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def one_database(postgres: Postgres) -> Iterator[Database]:
    """Migrated; emptying it for each test is faster than making another."""
    database = connect(postgres.create())
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def postgres_database(one_database: Database) -> Database:
    with one_database.write() as connection:
        connection.execute(sa.text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
    return one_database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


class Beside:
    """Stores over the same database as the one that a contract is of."""

    @pytest.fixture
    def jobs(self, database):
        return SqlJobStore(database)

    @pytest.fixture
    def records(self, database):
        return SqlRecordStore(database)

    @pytest.fixture
    def audit_log(self, database):
        return SqlAuditLog(database)


class TestJobStore(Beside, JobStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlJobStore(database)


class TestRecordStore(Beside, RecordStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlRecordStore(database)


class TestSampleStore(Beside, SampleStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlSampleStore(database)


class TestDownloadStore(DownloadStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlDownloadStore(database)

    @pytest.fixture
    def queue_job(self, database):
        def queue(base_model):
            job = make_job(base_model=base_model)
            SqlJobStore(database).add(job, status_event(None, job, "Submitted."))

        return queue


class TestDatasetStore(DatasetStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlDatasetStore(database)


class TestVersionStore(VersionStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlVersionStore(database)


class TestExperimentStore(Beside, ExperimentStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlExperimentStore(database)


class TestModelRegistry(Beside, ModelRegistryContract):
    @pytest.fixture
    def store(self, database):
        return SqlModelRegistry(database)


class TestTrash(Beside, TrashContract):
    @pytest.fixture
    def store(self, database):
        return SqlTrash(database)

    @pytest.fixture
    def registry(self, database):
        return SqlModelRegistry(database)

    @pytest.fixture
    def news(self, database):
        return SqlNewsStore(database)


class TestAnalysisStore(Beside, AnalysisStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlAnalysisStore(database)


class TestTokenStore(TokenStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlTokenStore(database)


class TestAuditLog(AuditLogContract):
    @pytest.fixture
    def store(self, database):
        return SqlAuditLog(database)


class TestWebhookStore(Beside, WebhookStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlWebhookStore(database)

    @pytest.fixture
    def outbox(self, database):
        return SqlOutbox(database)


class TestTicketStore(TicketStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlTicketStore(database)


class TestArtifactTicketStore(ArtifactTicketStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlArtifactTicketStore(database)


class TestNewsStore(Beside, NewsStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlNewsStore(database)


class TestControlStore(Beside, ControlStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlControlStore(database)


class TestContainerStore(ContainerStoreContract):
    @pytest.fixture
    def store(self, database):
        return SqlContainerStore(database)
