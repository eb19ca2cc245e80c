"""What only a real SQLite file shows: locks, what is on disk, and a file that is not there."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.adapters.sql.leadership import FencedDatabase
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.ports.job_store import JobFilter
from tests.factories import make_job


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


def test_a_lock_that_outlasts_the_timeout_makes_the_store_unavailable(database, path):
    migrate(database)
    hasty = connect(f"sqlite:///{path}?timeout=0.05")
    store = SqlJobStore(hasty)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable):
        _add(store)
    assert store.list(JobFilter()).total == 0, "a reader never waits for a writer"

    holder.execute("ROLLBACK")
    holder.close()
    _add(store)
    hasty.close()


def test_writers_of_one_process_wait_for_each_other_without_a_connection_and_readers_for_nobody(database):
    migrate(database)
    store = SqlJobStore(database)
    crowd = database.engine.pool.size() + database.engine.pool.overflow() + 20  # more than there are connections
    with database.turn:
        writers = [threading.Thread(target=_add, args=(store,)) for _ in range(crowd)]
        for writer in writers:
            writer.start()
        assert store.list(JobFilter()).total == 0
    for writer in writers:
        writer.join()
    assert store.list(JobFilter()).total == crowd


def test_a_leaders_writes_take_the_same_turns(database):
    assert FencedDatabase(database, term=lambda: 1).turn is database.turn


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


def test_a_new_file_that_another_process_is_making_is_waited_for(tmp_path):
    with closing(sqlite3.connect(tmp_path / "new.db", check_same_thread=False)) as another:
        another.execute("BEGIN IMMEDIATE")
        another.execute("CREATE TABLE begun (id INTEGER)")
        leave = threading.Timer(0.3, another.commit)
        leave.start()

        with connect(f"sqlite:///{tmp_path}/new.db").read() as connection:
            assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        leave.join()
