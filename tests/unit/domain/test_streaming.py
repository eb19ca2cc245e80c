"""Cursors: what they look like, what moves them, and what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.errors import Rejected
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.streaming import MAX_CURSOR_LENGTH, Cursor, LogLines, UserCursor, end_of, standing_of
from tests.factories import NOW, make_attempt, make_job, make_metric

JOB = "7f9c1d7e-0000-4000-8000-000000000001"
CURSOR = Cursor(event_id=12, attempt=1, step=40, log_bytes=2048, standing="1f3a9c00")
NO_CURSORS = [
    "",
    "x",
    "1.2.3.4",
    "1.2.3.4.zzzzzzzz",
    "-1.0.0.0.00000000",
    "1.0.0.0.00000000.fin",
    "9" * 17,
    "\u0661.0.0.0.00000000",
]


def _event(event_id, kind="phase"):
    return JobEvent(job_id=JOB, attempt=1, type=kind, message="", at=NOW, id=event_id)


@pytest.mark.parametrize("cursor", [Cursor(), CURSOR, replace(CURSOR, is_end=True)])
def test_a_cursor_is_read_as_it_was_written(cursor):
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", [*NO_CURSORS, f"{CURSOR}\n", f" {CURSOR}"])
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(Rejected) as refused:
        Cursor.parse(text)
    assert refused.value.code == "CURSOR_UNKNOWN"


@pytest.mark.parametrize("cursor", [UserCursor(), UserCursor(settled=7, jobs={JOB: CURSOR, JOB[:-1] + "2": Cursor()})])
def test_a_users_cursor_is_read_as_it_was_written(cursor):
    assert UserCursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", [*NO_CURSORS, "7~", f"7~{JOB}.{CURSOR}", f"7~{JOB.replace('-', '')}.x", f"{CURSOR}"])
def test_what_is_no_cursor_of_a_user_is_refused(text):
    with pytest.raises(Rejected):
        UserCursor.parse(text)


def test_a_cursor_of_very_many_jobs_still_fits_into_a_header():
    crowd = UserCursor(settled=2**53, jobs={f"{number:08x}{JOB[8:]}": CURSOR for number in range(1000)})

    assert len(str(crowd)) < MAX_CURSOR_LENGTH
    assert len(UserCursor.parse(str(crowd)).jobs) == 100


def test_each_kind_moves_its_own_place():
    assert CURSOR.after(_event(13)) == replace(CURSOR, event_id=13)
    assert CURSOR.after(make_metric(JOB, attempt=2, step=5)) == replace(CURSOR, attempt=2, step=5)
    assert CURSOR.after(LogLines(job_id=JOB, lines=("a",))) == CURSOR


def test_only_a_new_status_is_more_than_an_afterthought_to_the_end():
    ended = replace(CURSOR, is_end=True)

    assert ended.after(_event(13, "gap")).is_end
    assert not ended.after(_event(13, "status")).is_end


def test_behind_an_attempt_that_is_over_only_the_next_one_is_news():
    behind = Cursor.at_end_of(make_attempt(number=2, log_bytes=99), event_id=5)

    assert (behind.event_id, behind.attempt, behind.log_bytes, behind.is_end) == (5, 2, 99, True)
    assert behind.step > 1_000_000
    assert Cursor.parse(str(behind)) == behind
    assert Cursor.at_end_of(None, event_id=5) == Cursor(event_id=5)


def test_an_attempt_knows_its_progress_better_than_its_jobs_row():
    job = replace(make_job(), status=JobStatus.RUNNING, attempt=1)
    attempt = make_attempt(job, progress=Progress(current_step=7, total_steps=10))

    assert standing_of(job, attempt).progress.current_step == 7
    assert standing_of(replace(job, status=JobStatus.FAILED), attempt).progress.current_step == 0


def test_a_job_that_has_not_reported_yet_is_to_do_all_its_steps():
    job = make_job()

    assert standing_of(job, None).progress.total_steps == job.config.steps


def test_the_digest_of_a_standing_changes_with_it():
    job = make_job()
    queued = standing_of(job, None)

    assert queued.digest == standing_of(job, None).digest
    assert queued.digest != standing_of(replace(job, status=JobStatus.PENDING), None).digest
    assert queued.digest != standing_of(replace(job, progress=Progress(metrics={"loss": 0.1})), None).digest


def test_an_end_says_why():
    job = make_job()
    end = end_of(job.ended(EndReason.BAD_CONFIG, at=NOW, message="No.", exit_code=10))

    assert (end.status, end.end_reason, end.exit_code, end.error_message) == ("failed", "bad_config", 10, "No.")
    assert end.completed_at == NOW
