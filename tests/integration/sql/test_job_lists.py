"""Short lists of jobs are gathered, long ones walked by age: whichever it is, a page holds the same jobs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.adapters.sql.job_lists import FEW, count_jobs, select_jobs
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingType
from orchestrator.ports.job_store import JobFilter
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
        )
        store.add(job, status_event(None, job, "Submitted."))
    for user in (ALICE, BOB):
        gone = make_job(user_id=user, dataset_id="pictures", experiment_id="cats")
        ended = store.request_cancel(store.add(gone, status_event(None, gone, "Submitted.")).id, reason=None, at=NOW)
        store.delete(ended, at=NOW, is_restorable=True)


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_page_is_the_same_however_it_is_found(migrated, jobs, oldest_first):
    for name, wanted in LISTS.items():
        ordered = replace(wanted, oldest_first=oldest_first)
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
