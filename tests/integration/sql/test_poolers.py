"""Through a real pgbouncer: in session mode a pooler is as good as the database; in transaction mode it is refused."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pytest

from orchestrator.adapters.sql import SqlJobStore, SqlLeadership, connect, migrate
from orchestrator.domain.errors import Rejected, SlotTaken, StaleJob
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.ports.job_store import JobFilter
from tests.factories import NOW, make_attempt, make_job
from tests.pgbouncer import running_pgbouncer

DISPATCHERS, JOBS, SLOTS = 16, 30, 2


@pytest.fixture(scope="module")
def session_url(postgres):
    with running_pgbouncer(postgres.create_database(), pool_mode="session") as url:
        with closing(connect(url)) as database:
            migrate(database)
        yield url


def add(store, **changes):
    job = make_job(**changes)
    return store.add(job, status_event(None, job, "Submitted."))


def test_sixteen_dispatchers_through_a_session_pooler_never_exceed_two_slots(session_url):
    with closing(connect(session_url)) as database:
        store = SqlJobStore(database)
        for _ in range(JOBS):
            add(store, user_id="alice")
        with ThreadPoolExecutor(DISPATCHERS) as pool:
            most_active = list(pool.map(lambda seed: _dispatch(session_url, seed), range(DISPATCHERS)))

        assert max(most_active) == SLOTS
        ended = store.list(JobFilter(statuses=(JobStatus.FAILED,)), page_size=JOBS)
        assert ended.total == JOBS


def test_one_process_leads_through_a_session_pooler(session_url):
    databases = [connect(session_url) for _ in range(2)]
    first, second = map(SqlLeadership, databases)

    assert [first.acquire(), second.acquire()] == [True, False]
    first.confirm()
    first.release()
    assert second.acquire()
    second.release()
    for database in databases:
        database.close()


def test_a_transaction_pooler_is_refused_whatever_its_port_and_nothing_is_left_of_us(postgres):
    url = postgres.create_database()
    with running_pgbouncer(url, pool_mode="transaction") as pooled:
        with closing(connect(pooled)) as database, pytest.raises(Rejected) as refused:
            migrate(database)
        with psycopg.connect(pooled, autocommit=True) as connection:
            settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("statement_timeout", "search_path")]

    assert refused.value.code == "DATABASE_URL_REFUSED"
    assert "port 5432" in refused.value.message
    assert settings == [("0",), ('"$user", public',)]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def _dispatch(url, seed):
    """Starts queued jobs on any slot and ends them when it likes; returns how many it ever saw active at once."""
    chance, most, held = random.Random(seed), 0, []  # noqa: S311 - nothing secret
    with closing(connect(url)) as database:
        store = SqlJobStore(database)
        while queued := store.list(JobFilter(statuses=(JobStatus.QUEUED,)), page_size=JOBS).jobs:
            job = chance.choice(queued)
            claimed = job.claimed(slot=chance.randint(1, SLOTS), devices=(), at=NOW)
            with suppress(SlotTaken, StaleJob):
                held.append(
                    store.claim(claimed, make_attempt(claimed, devices=()), status_event(job, claimed, "Claimed."))
                )
            most = max(most, len(store.active()))
            while held:
                store.save(held.pop().ended(EndReason.LAUNCH_REFUSED, at=NOW))
    return most
