"""What only a real Postgres shows: addresses, waiting that ends, and connections that are cut."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.domain.errors import Rejected, StoreUnavailable
from orchestrator.domain.events import status_event
from tests.factories import make_job


@pytest.fixture
def address(postgres):
    return postgres.create()


@pytest.fixture
def database(address):
    database = connect(address)
    migrate(database)
    yield database
    database.close()


def _add(store, **changes):
    job = make_job(**changes)
    return store.add(job, status_event(None, job, "Submitted."))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_form_of_the_address_works(address, scheme):
    database = connect(address.replace("postgresql", scheme, 1))

    with database.read() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lorry:secret@pooler.example.com:6543/postgres",
        "mysql://lorry:secret@127.0.0.1/lorry",
        "sqlite://",
        "sqlite:///:memory:",
        "lorry.db secret",
        "",
    ],
)
def test_an_address_that_cannot_hold_a_store_is_refused_without_its_password(url):
    with pytest.raises(Rejected) as refused:
        connect(url)

    assert refused.value.code == "DATABASE_URL_REFUSED"
    assert refused.value.message.startswith("LORRY_DATABASE_URL ")
    assert "secret" not in refused.value.message


def test_a_transaction_poolers_port_is_refused_with_the_address_to_use_instead():
    with pytest.raises(Rejected) as refused:
        connect("postgresql://postgres.ref:secret@aws-0-eu-west-1.pooler.supabase.com:6543/postgres")

    instead = "postgresql://postgres.ref:***@aws-0-eu-west-1.pooler.supabase.com:5432/postgres"
    assert refused.value.message.endswith(f"Use its session mode: {instead}")


def test_every_session_has_limits_for_what_may_take_time(database):
    with database.read() as connection:
        limits = [connection.scalar(sa.text(f"SHOW {name}")) for name in ("statement_timeout", "lock_timeout")]
        assert limits == ["15s", "5s"]
        assert connection.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "30s"


def test_waiting_for_a_locked_table_ends_and_is_no_crash(database, address):
    store = SqlJobStore(database)
    other = sa.create_engine(address.replace("postgresql", "postgresql+psycopg", 1))
    with other.begin() as connection:
        connection.execute(sa.text("LOCK TABLE training_jobs IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StoreUnavailable):
            _add(store)
    other.dispose()

    _add(store)


def test_a_connection_cut_in_the_middle_of_a_write_stores_nothing_and_the_next_write_works(database):
    store = SqlJobStore(database)
    job = _add(store)

    with pytest.raises(StoreUnavailable):
        _lose_connection_after(database, training_jobs.update().values(priority=1))

    assert store.get(job.id) == job
    _add(store)


def _lose_connection_after(database, statement):
    with database.write() as connection:
        connection.execute(statement)
        connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_idle_connections_that_were_cut_are_noticed_before_they_are_used(database, postgres):
    store = SqlJobStore(database)
    job = _add(store)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    assert store.get(job.id) == job
