"""Migrations on both dialects: they make exactly our tables, and lose no row on the way."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from orchestrator.adapters.sql import SqlDatasetStore, SqlJobStore, connect, is_migrated, migrate
from orchestrator.adapters.sql.migrate import _config
from orchestrator.adapters.sql.tables import metadata
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import status_event
from tests.factories import make_job

MIGRATE = "import sys; from orchestrator.adapters.sql import connect, migrate; print(migrate(connect(sys.argv[1])))"

FIRST_SCHEMA_ROWS = """
INSERT INTO training_jobs (id, user_id, dataset_id, type, base_model, config, trigger_words, status, created_at,
  updated_at, version, attempt, slot, priority, gpu_ids, progress, current_step, total_steps, current_epoch,
  total_epochs, metrics)
  VALUES ('job', 'user', 'dataset', 'lora', 'lorry/tiny-sd15', '{}', '["cat"]', 'running', '2026-01-01 00:00:00',
  '2026-01-01 00:00:00', 3, 1, 1, 0, '["cpu-0"]', 12.5, 1, 2, 0, 1, '{}');
INSERT INTO training_attempts (job_id, number, container_name, created_at, devices, is_oom_killed, events_offset)
  VALUES ('job', 1, 'training-job', '2026-01-01 00:00:00', '["cpu-0"]', FALSE, 42);
INSERT INTO gpu_leases (device, job_id, attempt, leased_at) VALUES ('cpu-0', 'job', 1, '2026-01-01 00:00:00');
INSERT INTO training_events (job_id, attempt, event_type, message, data, created_at)
  VALUES ('job', 1, 'status', 'Submitted.', '{}', '2026-01-01 00:00:00');
INSERT INTO training_metrics (run_id, attempt, step, epoch, loss, timestamp)
  VALUES ('job', 1, 1, 0, 0.5, '2026-01-01 00:00:00');
INSERT INTO artifacts (id, job_id, attempt, kind, name, path, size_bytes, sha256, created_at)
  VALUES ('artifact', 'job', 1, 'sample', 'one.png', 'one.png', 1, 'hash', '2026-01-01 00:00:00');
INSERT INTO datasets (id, user_id, name, item_count, captioned_count, size_bytes, sha256, created_at, updated_at)
  VALUES ('dataset', 'user', 'cats', 1, 0, 1, 'hash', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
INSERT INTO dataset_items (id, dataset_id, file_name, original_name, width, height, size_bytes, sha256)
  VALUES ('item', 'dataset', '00001.png', 'cat.png', 1, 1, 1, 'hash');
"""

EARLIER_REVISIONS = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][:0:-1]


def _constraints(inspector, table):
    checks = {check["name"] for check in inspector.get_check_constraints(table)}
    uniques = {unique["name"] for unique in inspector.get_unique_constraints(table)}
    return checks | uniques | {inspector.get_pk_constraint(table)["name"]}


def test_migrations_make_exactly_the_tables(migrated):
    with migrated.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("revision", EARLIER_REVISIONS)
def test_migrations_make_exactly_the_tables_from_any_earlier_revision(bare, revision):
    _upgrade(bare, revision)

    migrate(bare)

    with bare.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrations_make_the_same_constraints(migrated, url, tmp_path, request):
    other = f"sqlite:///{tmp_path / 'other.db'}" if migrated.is_sqlite else request.getfixturevalue("postgres").create()
    direct = connect(other)
    metadata.create_all(direct.engine)
    found, made = sa.inspect(migrated.engine), sa.inspect(direct.engine)

    for table in metadata.tables:
        assert _constraints(found, table) == _constraints(made, table), table
    direct.close()


def test_rows_of_the_first_schema_are_all_there_after_the_next_migrations(bare):
    _upgrade(bare, "0001")
    with bare.write() as connection:
        for statement in FIRST_SCHEMA_ROWS.split(";")[:-1]:
            connection.exec_driver_sql(statement)

    migrate(bare)

    store = SqlJobStore(bare)
    ((job, attempt),) = store.active()
    assert (job.id, job.version, job.trigger_words, job.progress.progress) == ("job", 3, ("cat",), 12.5)
    assert (job.gpus, job.retries, job.memory_profile) == (1, 0, "normal")
    assert (attempt.container_name, attempt.events_offset, attempt.kill_count) == ("training-job", 42, 0)
    assert (job.dataset_sha256, job.excluded_items) == (None, {})
    (item,) = SqlDatasetStore(bare).items("dataset")
    assert (item.exclusion, item.sharpness) == (None, None)
    assert store.leased_devices() == {"cpu-0"}
    with bare.read() as connection:
        for name in ("training_events", "training_metrics", "artifacts"):
            assert connection.scalar(sa.select(sa.func.count()).select_from(metadata.tables[name])) == 1, name


def test_jobs_that_trained_before_bests_were_kept_have_them_after_migrating(bare):
    _upgrade(bare, "0018")
    job = FIRST_SCHEMA_ROWS.split(";", maxsplit=1)[0]
    losses = ["1, 10, 0, 0.5, NULL", "1, 20, 0, 0.25, 0.75", "2, 10, 0, 0.25, 0.5", "2, 30, 0, 0.5, 0.5"]
    with bare.write() as connection:
        connection.exec_driver_sql(job)
        connection.exec_driver_sql(job.replace("'job'", "'bare'").replace(", 1, 0,", ", 2, 0,"))
        for row in losses:
            values = f"('job', {row}, '2026-01-01 00:00:00')"
            columns = "run_id, attempt, step, epoch, loss, val_loss, timestamp"
            connection.exec_driver_sql(f"INSERT INTO training_metrics ({columns}) VALUES {values}")  # noqa: S608 - ours

    migrate(bare)

    store = SqlJobStore(bare)
    found, without = store.get("job").progress, store.get("bare").progress
    assert (found.best_loss, found.best_loss_step) == (0.25, 20)
    assert (found.best_val_loss, found.best_val_loss_step) == (0.5, 10)
    assert (without.best_loss, without.best_val_loss_step) == (None, None)


def test_a_job_still_takes_its_rows_with_it_after_migrating(migrated):
    store = SqlJobStore(migrated)
    job = make_job()
    store.add(job, status_event(None, job, "Submitted."))

    with migrated.write() as connection:
        connection.execute(metadata.tables["training_jobs"].delete())
        left = sa.select(sa.func.count()).select_from(metadata.tables["training_events"])
        assert connection.scalar(left) == 0


def test_migrating_again_changes_nothing_and_keeps_the_jobs(bare):
    revision = migrate(bare)
    job = make_job()
    SqlJobStore(bare).add(job, status_event(None, job, "Submitted."))

    assert migrate(bare) == revision
    assert SqlJobStore(bare).get(job.id) == job


def test_a_database_knows_whether_it_is_migrated(bare):
    assert not is_migrated(bare)
    migrate(bare)
    assert is_migrated(bare)


def test_two_processes_may_migrate_at_once(url):
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], answers
    assert answers[0][0] == answers[1][0]


def test_a_database_without_tables_is_unavailable_not_a_crash(bare):
    with pytest.raises(StoreUnavailable):
        SqlJobStore(bare).get("any")


@pytest.mark.parametrize(
    ("address", "story"),
    [
        ("sqlite:////nowhere/lorry.db", "sqlite:////nowhere/lorry.db"),
        ("postgresql://lorry:secret@127.0.0.1:1/lorry", "postgresql+psycopg://lorry:***@127.0.0.1:1/lorry"),
    ],
)
def test_a_store_that_cannot_be_opened_says_where_it_is_and_what_to_look_at(address, story):
    with pytest.raises(StoreUnavailable) as refused:
        migrate(connect(address))

    assert refused.value.message.startswith(f"Could not open the job store {story}: ")
    assert "LORRY_DATABASE_URL" in refused.value.message
    assert "secret" not in refused.value.message


def _upgrade(database, revision):
    config = _config()
    with database.schema_change() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
