"""The store in a Supabase project's database: what its users may see there, and what Supabase's advisor would say."""
# ruff: noqa: S608 - tables by their names, which are in this file

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from orchestrator.adapters.sql import SqlDatasetStore, SqlJobStore, connect, migrate, migration_sql
from orchestrator.domain.errors import Rejected
from orchestrator.domain.events import status_event
from tests.factories import make_attempt, make_dataset, make_item, make_job
from tests.integration.sql.advisor import LINTS
from tests.integration.sql.schema_dump import schema_dump
from tests.integration.sql.test_migrations import EARLIER_REVISIONS

SNAPSHOT = Path(__file__).with_name("schema.snapshot.txt")
ALICE, BOB = str(uuid.uuid4()), str(uuid.uuid4())
READABLE = ("training_jobs", "training_metrics", "training_events", "artifacts", "datasets", "dataset_items")
OWN = (
    "alembic_version",
    "api_tokens",
    "artifact_tickets",
    "artifact_uploads",
    "audit_log",
    "container_samples",
    "dataset_versions",
    "deleted_jobs",
    "diagnostic_tables",
    "engine_status",
    "experiment_metrics",
    "experiment_params",
    "experiments",
    "gpu_leases",
    "leadership",
    "maintenance",
    "model_downloads",
    "models",
    "stream_tickets",
    "suspect_devices",
    "training_attempts",
    "training_lineage",
    "user_limits",
    "webhook_deliveries",
    "webhooks",
)
ROWS = """
INSERT INTO training_metrics (run_id, attempt, step, epoch, loss, timestamp) VALUES ('{job}', 1, 1, 0, 0.5, now());
INSERT INTO artifacts (id, job_id, attempt, kind, name, path, size_bytes, sha256, created_at)
  VALUES ('{job}', '{job}', 1, 'sample', 'one.png', 'one.png', 1, 'hash', now());
"""


@pytest.fixture(scope="module")
def url(postgres):
    """A project with a job and a dataset of each of two users."""
    url = postgres.create_supabase()
    database = connect(url)
    migrate(database)
    for user in (ALICE, BOB):
        dataset = make_dataset(user_id=user)
        SqlDatasetStore(database).add(dataset, [make_item(dataset.id)])
        job = make_job(user_id=user, dataset_id=dataset.id)
        SqlJobStore(database).add(job, status_event(None, job, "Submitted."))
        with psycopg.connect(url) as connection:
            connection.execute(ROWS.format(job=job.id))
    database.close()
    return url


@pytest.fixture
def ask(url):
    """Runs one statement as the Data API does: the role and the claims of the caller, for one transaction."""

    def run(role, statement, user=None):
        claims = json.dumps({"sub": user, "role": role} if user else {"role": role})
        with psycopg.connect(url) as connection:
            connection.execute("SET LOCAL statement_timeout = '8s'")
            connection.execute(
                "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", [role, claims]
            )
            return connection.execute(statement).fetchall()

    return run


# -- users --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", READABLE)
def test_a_user_sees_their_own_rows_and_no_others(ask, table):
    (mine,), (theirs,) = (
        ask("authenticated", f"SELECT * FROM {table}", ALICE),
        ask("authenticated", f"SELECT * FROM {table}", BOB),
    )
    assert mine != theirs
    assert len(ask("service_role", f"SELECT * FROM {table}")) == 2
    assert ask("authenticated", f"SELECT * FROM {table}", str(uuid.uuid4())) == []


@pytest.mark.parametrize("table", READABLE)
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_writes_through_the_data_api(ask, role, table):
    for statement in (f"DELETE FROM {table} RETURNING 1", f"TRUNCATE {table}", f"INSERT INTO {table} DEFAULT VALUES"):
        with pytest.raises(errors.InsufficientPrivilege):
            ask(role, statement, ALICE)
    with pytest.raises(errors.InsufficientPrivilege):
        ask(role, f"UPDATE {table} SET {'run_id = run_id' if table == 'training_metrics' else 'id = id'}", ALICE)


@pytest.mark.parametrize("table", READABLE)
def test_who_has_not_signed_in_sees_nothing(ask, table):
    with pytest.raises(errors.InsufficientPrivilege):
        ask("anon", f"SELECT * FROM {table}")


@pytest.mark.parametrize("table", OWN)
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_what_is_lorrys_own_is_out_of_the_data_apis_reach(ask, role, table):
    with pytest.raises(errors.InsufficientPrivilege):
        ask(role, f"SELECT * FROM lorry_public.{table}", ALICE)


def test_every_table_of_public_is_one_of_those_that_users_may_read(url):
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in found} == set(READABLE)


def test_an_owners_list_of_jobs_asks_who_they_are_once(ask):
    plan = "\n".join(line for (line,) in ask("authenticated", "EXPLAIN (VERBOSE) SELECT * FROM training_jobs", ALICE))

    assert "InitPlan" in plan


def test_realtime_tells_of_jobs_and_nothing_else(url):
    with psycopg.connect(url) as connection:
        published = connection.execute("SELECT pubname, tablename FROM pg_publication_tables").fetchall()
    assert published == [("supabase_realtime", "training_jobs")]


@pytest.mark.parametrize("table", ["training_jobs", "datasets"])
def test_a_change_by_hand_is_stamped(url, table):
    with psycopg.connect(url) as connection:
        connection.execute(f"UPDATE {table} SET name = 'by hand'")
        (ages,) = connection.execute(f"SELECT max(now() - updated_at) < interval '1 minute' FROM {table}").fetchall()
        connection.rollback()
    assert ages == (True,)


def test_the_advisor_finds_nothing(url):
    with psycopg.connect(url) as connection:
        found = {name: connection.execute(query).fetchall() for name, query in LINTS.items()}
    assert {name: rows for name, rows in found.items() if rows} == {}


# -- migrating ----------------------------------------------------------------------------------------------------


def test_the_schema_is_the_one_that_was_agreed(url):
    """LORRY_WRITE_SNAPSHOT=1 writes it anew, for a change that is meant."""
    dump = schema_dump(url)
    if os.environ.get("LORRY_WRITE_SNAPSHOT"):
        SNAPSHOT.write_text(dump)
    assert dump == SNAPSHOT.read_text()


@pytest.mark.parametrize("make", ["create_supabase", "create_database"])
def test_the_printed_sql_makes_the_same_schema_from_nothing(postgres, make):
    printed, migrated = getattr(postgres, make)(), getattr(postgres, make)()
    _paste(printed, migration_sql())
    with_database(migrated, migrate)

    assert schema_dump(printed) == schema_dump(migrated)
    assert with_database(printed, migrate) == with_database(migrated, migrate)


@pytest.mark.parametrize("since", EARLIER_REVISIONS)
def test_the_printed_sql_makes_the_same_schema_from_any_earlier_one(postgres, url, since):
    other = postgres.create_supabase()
    head = migration_sql()
    _paste(other, head[: head.index(f"-- Running upgrade {since} ->")] + "COMMIT;")
    _paste(other, migration_sql(since))

    assert schema_dump(other) == schema_dump(url)


def test_a_revision_that_never_was_is_refused():
    with pytest.raises(Rejected) as refused:
        migration_sql("9999")
    assert refused.value.message.startswith("There is no revision '9999'; there are 0001, 0002,")


def test_a_database_that_becomes_a_supabase_projects_later_is_made_ready_by_the_next_migration(postgres, url):
    other, notes = postgres.create_database(), []
    with_database(other, lambda database: migrate(database, notes.append))
    assert [note.partition(":")[0] for note in notes] == ["Not a Supabase database"]

    notes.clear()
    postgres.make_supabase(other)
    with_database(other, lambda database: migrate(database, notes.append))
    assert schema_dump(other) == schema_dump(url)
    assert notes == []


def test_migrating_a_project_again_changes_nothing(url):
    before = schema_dump(url)
    with_database(url, migrate)
    assert schema_dump(url) == before


def test_a_publication_of_somebody_else_is_left_to_them(postgres):
    url, notes = postgres.create_supabase(), []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE project LOGIN")
        connection.execute("GRANT ALL ON SCHEMA public TO project")
        connection.execute("CREATE SCHEMA lorry_public AUTHORIZATION project")
        connection.execute("GRANT USAGE ON SCHEMA auth TO project")

    with_database(url.replace("lorry@", "project@"), lambda database: migrate(database, notes.append))

    assert [note.partition(":")[0] for note in notes] == ["training_jobs is not published for Realtime"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_policies").fetchall() == [(len(READABLE),)]


def test_lorry_works_beside_its_own_rules(url):
    database = connect(url)
    store = SqlJobStore(database)
    job = make_job(user_id=ALICE)
    store.add(job, status_event(None, job, "Submitted."))
    claimed = job.claimed(slot=1, devices=(), at=job.created_at)
    stored = store.claim(claimed, make_attempt(claimed, devices=()), status_event(job, claimed, "Claimed."))

    assert store.get(job.id) == stored
    with database.write() as connection:
        connection.execute(sa.text("DELETE FROM training_jobs WHERE id = :id"), {"id": job.id})
    database.close()


def with_database(url, use):
    database = connect(url)
    try:
        return use(database)
    finally:
        database.close()


def _paste(url, statements):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements)
