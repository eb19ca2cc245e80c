"""Retention and figures on both dialects: the same rows found, counted, removed and marked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.adapters.sql import SqlFigureStore, SqlJobStore, SqlRecordStore, SqlRetentionStore
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.retention import Kind, removal_mark
from orchestrator.ports.retention_store import Aged
from tests.contract.job_store import make_metric
from tests.factories import NOW, make_attempt, make_job

LATER = NOW + timedelta(days=1)


@pytest.fixture
def jobs(migrated):
    return SqlJobStore(migrated)


@pytest.fixture
def store(migrated):
    return SqlRetentionStore(migrated)


def _running(jobs):
    job = make_job()
    jobs.add(job, status_event(None, job, "Submitted."))
    attempt = make_attempt(job, devices=())
    claimed = jobs.claim(job.claimed(slot=1, devices=(), at=NOW), attempt, status_event(job, job, "Claimed."))
    return jobs.save(claimed.running(started_at=NOW, at=NOW), attempt, metrics=[make_metric(job, step=1)]), attempt


def _ended(jobs, reason=EndReason.TRAINER_FAILED):
    running, attempt = _running(jobs)
    return jobs.save(running.ended(reason, at=NOW), attempt.evolve(end_reason=reason))


def _mark(job, kind):
    return removal_mark(job.id, kind, until=NOW, days=1, now=LATER)


def test_only_jobs_that_ended_before_then_are_due_in_order_of_their_ids(jobs, store):
    ended = sorted(_ended(jobs).id for _ in range(3))
    _running(jobs)

    assert [aged.job_id for aged in store.aged(Kind.METRICS, ended_before=LATER, limit=10)] == ended
    assert store.aged(Kind.METRICS, ended_before=LATER, limit=1) == [Aged(ended[0], NOW, 1)]
    assert [aged.job_id for aged in store.aged(Kind.METRICS, ended_before=LATER, limit=9, after=ended[0])] == ended[1:]
    assert store.aged(Kind.METRICS, ended_before=NOW, limit=10) == []


def test_rows_go_and_their_mark_stays(migrated, jobs, store):
    job, records = _ended(jobs), SqlRecordStore(migrated)

    assert store.remove_rows(Kind.METRICS, job.id, _mark(job, Kind.METRICS)) == 1
    assert store.remove_rows(Kind.EVENTS, job.id, _mark(job, Kind.EVENTS)) == 2
    assert store.remove_rows(Kind.METRICS, job.id, _mark(job, Kind.METRICS)) == 0

    assert records.curve(job.id).points == []
    assert [event.data["removed"] for event in records.events(job.id)] == ["metrics", "events"]
    assert store.aged(Kind.EVENTS, ended_before=LATER, limit=10) == []


def test_a_job_at_work_loses_nothing(migrated, jobs, store):
    job, _ = _running(jobs)

    assert store.remove_rows(Kind.METRICS, job.id, _mark(job, Kind.METRICS)) == 0
    with store.while_ended(job.id, _mark(job, Kind.LOGS)) as is_ended:
        assert not is_ended
    assert len(SqlRecordStore(migrated).curve(job.id).points) == 1
    assert store.ended([job.id], before=LATER) == {}


def test_known_ended_and_unknown_jobs_are_told_apart(jobs, store):
    ended, (running, _) = _ended(jobs), _running(jobs)

    assert store.ended([ended.id, running.id, "nobody"], before=LATER) == {ended.id: NOW}
    assert store.unknown([ended.id, running.id, "nobody"]) == {"nobody"}


def test_figures_count_what_is_there(migrated, jobs):
    figures = SqlFigureStore(migrated)
    assert (figures.figures().retries, figures.figures().waiting_since) == (0, None)
    _ended(jobs)
    waiting = make_job(retries=2)
    jobs.add(waiting, status_event(None, waiting, "Submitted."))
    younger = make_job()
    jobs.add(younger, status_event(None, younger, "Submitted."))

    found = figures.figures()

    assert (found.jobs[JobStatus.QUEUED], found.jobs[JobStatus.FAILED], found.jobs[JobStatus.RUNNING]) == (2, 1, 0)
    assert found.ended_attempts[EndReason.TRAINER_FAILED] == 1
    assert (found.retries, found.suspect_devices, found.waiting_since) == (2, 0, waiting.updated_at)
    figures.check_writes()
