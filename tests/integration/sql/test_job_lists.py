"""Short lists of jobs are gathered, long ones walked by age: whichever it is, a page holds the same jobs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.adapters.sql.job_lists import FEW, count_jobs, page_ids, select_jobs
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingType
from orchestrator.ports.job_store import JobFilter, JobOrder
from tests.factories import NOW, make_job

LONG = FEW + 1
ALICE, BOB = "alice", "bob"
LISTS = {
    "a user's": JobFilter(user_id=ALICE),
    "of one status": JobFilter(user_id=ALICE, statuses=(JobStatus.QUEUED,)),
    "of several statuses": JobFilter(user_id=ALICE, statuses=(JobStatus.QUEUED, JobStatus.RUNNING)),
    "of a type": JobFilter(user_id=ALICE, type=TrainingType.LORA),
    "of a base model": JobFilter(user_id=ALICE, base_model="lorry/tiny-sd15"),
    "on a dataset": JobFilter(user_id=ALICE, dataset_id="pictures"),
    "of an experiment": JobFilter(user_id=ALICE, experiment_id="cats"),
    "with a tag": JobFilter(user_id=ALICE, tag="keep"),
    "everybody's": JobFilter(),
    "everybody's of one status": JobFilter(statuses=(JobStatus.QUEUED,)),
}


@pytest.fixture
def jobs(migrated):
    """Seven of two users, two of each age."""
    store = SqlJobStore(migrated)
    for number in range(7):
        at = NOW + timedelta(minutes=number // 2)
        job = make_job(
            user_id=BOB if number == 3 else ALICE,
            dataset_id="pictures",
            experiment_id="cats",
            created_at=at,
            updated_at=at,
            progress=Progress(best_loss=number % 3 or None, best_val_loss=(7 - number) % 4 or None),
        )
        store.add(job, status_event(None, job, "Submitted."))
    for user in (ALICE, BOB):
        gone = make_job(user_id=user, dataset_id="pictures", experiment_id="cats")
        ended = store.request_cancel(store.add(gone, status_event(None, gone, "Submitted.")).id, reason=None, at=NOW)
        store.delete(ended, at=NOW, is_restorable=True)


@pytest.mark.parametrize("order", JobOrder)
def test_a_page_is_the_same_however_it_is_found(migrated, jobs, order):
    for name, wanted in LISTS.items():
        ordered = replace(wanted, order=order)
        with migrated.read() as connection:
            total = count_jobs(connection, ordered)
            gathered, walked = (
                [select_jobs(connection, ordered, total=length, page=page, page_size=3) for page in (1, 2, 3)]
                for length in (total, LONG)
            )
        assert gathered == walked, name
        listed = {job.id for page in gathered for job in page}
        assert len(listed) == total, name


def test_no_list_reads_the_rows_of_all_jobs(tmp_path):
    with closing(connect(f"sqlite:///{tmp_path / 'lorry.db'}")) as database:
        migrate(database)
        for name, wanted in LISTS.items():
            steps = _plan(database, wanted)
            assert steps, name
            assert not [step for step in steps if step.startswith("SCAN") and "COVERING INDEX" not in step], name


@pytest.mark.parametrize("order", JobOrder)
def test_the_longest_lists_are_sorted_by_an_index_in_every_order(tmp_path, order):
    with closing(connect(f"sqlite:///{tmp_path / 'lorry.db'}")) as database:
        migrate(database)
        for name in ("a user's", "everybody's"):
            steps = _walk(database, replace(LISTS[name], order=order))
            assert not [step for step in steps if "TEMP B-TREE" in step], (name, steps)


def test_a_page_behind_the_last_is_empty_and_keeps_the_total(migrated, jobs):
    page = SqlJobStore(migrated).list(JobFilter(user_id=ALICE), page=9, page_size=3)

    assert (page.jobs, page.total) == ((), 6)


def _plan(database, wanted):
    """What SQLite does to the table for the count, a short list and a long one."""
    asked = []
    with database.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        count_jobs(connection, wanted)
        for total in (FEW, LONG):
            select_jobs(connection, wanted, total=total, page=1, page_size=3)
        rows = [
            row
            for statement, values in tuple(asked)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    return [row[3] for row in rows if "training_jobs" in row[3]]


def _walk(database, wanted):
    """What SQLite does to find which jobs are on a page of a long list."""
    asked = []
    with database.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        connection.execute(page_ids(wanted, are_few=False, page=1, page_size=3))
        (statement, values), *_ = asked
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
