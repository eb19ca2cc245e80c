"""What only a real SQLite file shows: migrations, locks, and a database that is not there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, connect, is_migrated, migrate
from orchestrator.adapters.sql.tables import metadata
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.ports.job_store import JobFilter
from tests.factories import make_job

MIGRATE = "import sys; from orchestrator.adapters.sql import connect, migrate; print(migrate(connect(sys.argv[1])))"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lorry.db"


@pytest.fixture
def database(path):
    database = connect(f"sqlite:///{path}")
    yield database
    database.close()


def _add(store):
    job = make_job()
    return store.add(job, status_event(None, job, "Submitted."))


def _constraints(inspector, table):
    checks = {check["name"] for check in inspector.get_check_constraints(table)}
    return checks | {unique["name"] for unique in inspector.get_unique_constraints(table)}


def test_migrations_make_exactly_the_tables(database):
    migrate(database)

    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrations_make_the_same_constraints(database, tmp_path):
    migrate(database)
    direct = connect(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(direct.engine)
    migrated, made = sa.inspect(database.engine), sa.inspect(direct.engine)

    for table in metadata.tables:
        assert _constraints(migrated, table) == _constraints(made, table), table
    direct.close()


def test_migrating_again_changes_nothing_and_keeps_the_jobs(database):
    revision = migrate(database)
    job = _add(SqlJobStore(database))

    assert migrate(database) == revision
    assert SqlJobStore(database).get(job.id) == job


def test_a_database_knows_whether_it_is_migrated(database):
    assert not is_migrated(database)
    migrate(database)
    assert is_migrated(database)


def test_two_processes_may_migrate_at_once(path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, f"sqlite:///{path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], answers
    assert answers[0][0] == answers[1][0]


def test_a_lock_that_outlasts_the_timeout_makes_the_store_unavailable(database, path):
    migrate(database)
    store = SqlJobStore(database)
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")  # the pool hands the same connection out again
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable):
        _add(store)
    assert store.list(JobFilter()).total == 0, "a reader never waits for a writer"

    holder.execute("ROLLBACK")
    holder.close()
    _add(store)


def test_a_database_without_tables_is_unavailable_not_a_crash(database):
    with pytest.raises(StoreUnavailable):
        SqlRecordStore(database).engine_status()


def test_a_database_whose_folder_is_gone_is_unavailable(tmp_path):
    database = connect(f"sqlite:///{tmp_path / 'nowhere' / 'lorry.db'}")

    with pytest.raises(StoreUnavailable):
        SqlJobStore(database).get("any")


def test_an_accepted_job_is_on_disk_when_add_returns(database, path):
    migrate(database)
    job = _add(SqlJobStore(database))

    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    reader = sqlite3.connect(path)
    assert reader.execute("SELECT id FROM training_jobs").fetchall() == [(job.id,)]
    reader.close()
