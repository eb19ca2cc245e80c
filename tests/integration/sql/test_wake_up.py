"""Wake-ups between processes over one store: they arrive, they survive a cut connection, and none is ever needed."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from orchestrator.adapters.sql import SqlWakeUp, connect, migrate
from orchestrator.adapters.wake_up import ThreadWakeUp
from tests.pgbouncer import running_pgbouncer
from tests.waiting import eventually


class Bell:
    """A wake-up that counts."""

    def __init__(self):
        self.rung = threading.Semaphore(0)

    def notify(self):
        self.rung.release()

    def wait(self, timeout_seconds):
        """Nobody waits here."""

    def was_rung(self):
        return self.rung.acquire(timeout=0)


@pytest.fixture
def address(postgres):
    return postgres.create()


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def listener(address, bell):
    """Listens for what other processes send, and has rung once for what was sent before."""
    with closing(connect(address)) as database:
        migrate(database)
        with SqlWakeUp(database, bell) as listener:
            assert bell.rung.acquire(timeout=10)
            yield listener


def test_what_one_process_submits_wakes_another(address, listener, bell):
    with closing(connect(address)) as database:
        here = ThreadWakeUp()
        SqlWakeUp(database, here).notify()
        here.wait(0)
        assert bell.rung.acquire(timeout=10)


def test_a_notification_of_another_store_in_the_database_wakes_nobody(postgres, address, listener, bell):
    with closing(connect(postgres.create())) as other, closing(connect(address)) as same:
        SqlWakeUp(other, Bell()).notify()
        SqlWakeUp(same, Bell()).notify()
    assert bell.rung.acquire(timeout=10)
    assert not bell.was_rung()


def test_a_listener_whose_connection_was_cut_listens_again_and_looks_for_what_it_missed(postgres, listener, bell):
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")

    assert bell.rung.acquire(timeout=15)


def test_a_store_that_is_away_keeps_nobody_from_waking_its_own_process(bell):
    with closing(connect("postgresql://lorry@127.0.0.1:1/lorry")) as database:
        with SqlWakeUp(database, bell) as wake_up:
            wake_up.notify()
        assert bell.was_rung()


def test_behind_a_transaction_pooler_a_process_wakes_itself_and_polls_for_the_others(postgres, bell):
    with (
        running_pgbouncer(postgres.create_database(), pool_mode="transaction") as pooled,
        closing(connect(pooled)) as database,
        SqlWakeUp(database, bell) as wake_up,
    ):
        eventually(lambda: wake_up._failures == 1)
        assert not bell.was_rung()
        wake_up.notify()
        assert bell.was_rung()


def test_over_sqlite_a_process_wakes_itself(tmp_path, bell):
    with closing(connect(f"sqlite:///{tmp_path / 'lorry.db'}")) as database, SqlWakeUp(database, bell) as wake_up:
        wake_up.notify()
        assert bell.was_rung()
