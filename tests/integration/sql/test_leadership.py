"""One orchestrator at a time over one store, on both dialects: who leads, and what a deposed one can still do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import FencedDatabase, SqlJobStore, SqlLeadership, SqlRecordStore, connect, migrate
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import metadata
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.errors import Deposed, StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.ports.record_store import EngineStatus
from tests.contract.leadership import LeadershipContract
from tests.factories import NOW, make_attempt, make_job
from tests.postgres import Postgres


class TestSqlLeadership(LeadershipContract):
    @pytest.fixture
    def first(self, migrated: Database) -> Iterator[SqlLeadership]:
        leadership = SqlLeadership(migrated)
        yield leadership
        leadership.release()

    @pytest.fixture
    def second(self, migrated: Database, url: str) -> Iterator[SqlLeadership]:
        database = connect(url)
        leadership = SqlLeadership(database)
        yield leadership
        leadership.release()
        database.close()

    def test_a_term_begins_by_the_stores_clock(self, first):
        first.acquire()

        assert abs(first.latest().acquired_at - datetime.now(UTC)) < timedelta(seconds=30)

    def test_a_change_of_hands_waits_for_a_write_that_was_already_allowed(self, migrated, first, second):
        """The check would be worth nothing if a term could end between it and the commit."""
        first.acquire()
        fenced = FencedDatabase(migrated, term=lambda: 1)
        job = make_job()
        began = threading.Event()

        def begin_second_term():
            began.set()
            first.release()
            second.acquire()

        with ThreadPoolExecutor(1) as pool:
            with fenced.write() as connection:
                usurper = pool.submit(begin_second_term)
                assert began.wait(timeout=30)
                connection.execute(sa.select(metadata.tables["leadership"]))
                assert SqlLeadership(migrated).latest().number == 1
            usurper.result(timeout=30)
        assert second.number == 2
        with pytest.raises(Deposed):
            SqlJobStore(fenced).add(job, status_event(None, job, "Submitted."))


def test_of_eight_that_ask_at_once_one_leads(migrated, url):
    databases = [connect(url) for _ in range(8)]
    rivals = [SqlLeadership(database) for database in databases]
    gate = threading.Barrier(8)

    def ask(rival):
        gate.wait(timeout=30)
        return rival.acquire()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, rivals))
    assert sorted(answers) == [False] * 7 + [True]
    for rival, database in zip(rivals, databases, strict=True):
        rival.release()
        database.close()


@pytest.fixture
def deposed(migrated: Database) -> FencedDatabase:
    """The store as a process sees it whose term is over, though it does not know yet."""
    late = SqlLeadership(migrated)
    late.acquire()
    number = late.number
    late.release()
    successor = SqlLeadership(migrated)
    successor.acquire()
    successor.release()
    return FencedDatabase(migrated, term=lambda: number)


def test_no_write_of_a_deposed_orchestrator_is_stored(migrated, deposed):
    store = SqlJobStore(migrated)
    queued, job = make_job(), make_job()
    store.add(queued, status_event(None, queued, "Submitted."))
    store.add(job, status_event(None, job, "Submitted."))
    claimed = job.claimed(slot=1, devices=("cpu-0",), at=NOW)
    claimed = store.claim(claimed, make_attempt(job, number=1), status_event(job, claimed, "Claimed."))
    before = _rows(migrated)
    stale, records = SqlJobStore(deposed), SqlRecordStore(deposed)
    again = queued.claimed(slot=2, devices=("cpu-1",), at=NOW)
    event = status_event(queued, again, "Claimed.")
    status = EngineStatus(
        last_pass_at=NOW, unreachable_since=None, engine_id=None, is_image_present=True, devices=(), problem=None
    )
    writes = [
        lambda: stale.claim(again, make_attempt(queued, number=1, devices=("cpu-1",)), event),
        lambda: stale.save(claimed, make_attempt(job, number=1, container_id="c"), events=[event]),
        lambda: records.add_artifacts([_artifact(job)]),
        lambda: records.save_engine_status(status),
    ]

    for write in writes:
        with pytest.raises(Deposed):
            write()
    assert _rows(migrated) == before


def test_a_deposed_orchestrator_may_still_read(migrated, deposed):
    assert list(SqlJobStore(deposed).active()) == []


def test_a_process_that_never_led_writes_nothing(migrated):
    job = make_job()
    with pytest.raises(Deposed):
        SqlJobStore(FencedDatabase(migrated, term=lambda: 0)).add(job, status_event(None, job, "Submitted."))


def test_a_leader_whose_connection_was_cut_knows_it_and_may_lead_again(postgres: Postgres):
    database = connect(postgres.create())
    migrate(database)
    leadership = SqlLeadership(database)
    leadership.acquire()
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

    with pytest.raises(Deposed):
        leadership.confirm()
    leadership.release()
    assert leadership.acquire()
    leadership.confirm()
    assert leadership.number == 2
    leadership.release()
    database.close()


def test_two_stores_in_one_database_have_a_leader_each(postgres: Postgres):
    databases = [connect(postgres.create()) for _ in range(2)]
    leaders = []
    for database in databases:
        migrate(database)
        leaders.append(SqlLeadership(database))

    assert [leader.acquire() for leader in leaders] == [True, True]
    for leader, database in zip(leaders, databases, strict=True):
        leader.release()
        database.close()


def test_a_store_that_is_away_cannot_be_led(tmp_path):
    for url in ("postgresql://lorry@127.0.0.1:1/lorry", f"sqlite:///{tmp_path / 'nowhere' / 'lorry.db'}"):
        leadership = SqlLeadership(connect(url))
        with pytest.raises(StoreUnavailable):
            leadership.acquire()
        assert leadership.number == 0


def _rows(database):
    with database.read() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.select(table)))) for name, table in metadata.tables.items()
        }


def _artifact(job):
    return Artifact(
        id="artifact",
        job_id=job.id,
        attempt=1,
        kind=ArtifactKind.SAMPLE,
        name="one.png",
        path="one.png",
        size_bytes=1,
        sha256="0" * 64,
        created_at=NOW,
    )
