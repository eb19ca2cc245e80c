"""What is read at once: nothing that a database could keep an event loop waiting with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect
from orchestrator.adapters.sql.engine import Database
from orchestrator.at_once import NotAtOnce, at_once
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.ports.job_store import JobFilter
from tests.factories import make_job

_COUNT_TO = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) FROM n"


@pytest.fixture
def store(migrated: Database) -> SqlJobStore:
    return SqlJobStore(migrated)


def test_a_few_rows_of_a_file_are_read_at_once_and_nothing_across_a_network_is(
    migrated: Database, store: SqlJobStore
) -> None:
    job = make_job()
    store.add(job, status_event(None, job, "Submitted."))
    with at_once():
        if migrated.is_sqlite:
            assert store.get(job.id) == job
            assert store.list(JobFilter()).jobs == (job,)
        else:
            with pytest.raises(NotAtOnce):
                store.get(job.id)
            with pytest.raises(NotAtOnce):
                store.list(JobFilter())
    assert store.get(job.id) == job


def test_nothing_is_written_at_once(store: SqlJobStore) -> None:
    job = make_job()
    with at_once(), pytest.raises(NotAtOnce):
        store.add(job, status_event(None, job, "Submitted."))
    assert store.list(JobFilter()).total == 0


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_statement_that_takes_long_is_interrupted_and_runs_with_time(migrated: Database) -> None:
    many = sa.text(_COUNT_TO.format(100_000))
    with at_once(), pytest.raises(StoreUnavailable), migrated.look() as connection:
        connection.execute(many)
    few = sa.text(_COUNT_TO.format(100))
    for _ in range(100):  # together they take long
        with at_once(), migrated.look() as connection:
            assert connection.scalar(few) == 100
    with migrated.look() as connection:
        assert connection.scalar(many) == 100_000


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_locked_file_is_not_waited_for(url: str, migrated: Database) -> None:
    # As long as it takes: a read that waited for this lock would end the test by its time limit.
    patient = connect(f"{url}?timeout=100000")
    with closing(sqlite3.connect(patient.engine.url.database or "", isolation_level=None)) as holder:
        migrated.close()
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with at_once(), pytest.raises(StoreUnavailable), patient.look() as connection:
            connection.execute(sa.text("SELECT count(*) FROM training_jobs"))
        holder.execute("ROLLBACK")
    with at_once(), patient.look() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM training_jobs")) == 0
    patient.close()


def test_one_statement_has_no_transaction_around_it_and_all_else_has(migrated: Database) -> None:
    for enter, is_transaction in ((migrated.look, False), (migrated.read, True), (migrated.write, True)):
        for _ in range(2):  # the second time with a connection that was used for something else
            with enter() as connection:
                connection.execute(sa.text("SELECT 1"))
                assert _is_in_transaction(connection) is is_transaction


def _is_in_transaction(connection: sa.Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return bool(driver.info.transaction_status != driver.info.transaction_status.IDLE)
