"""What every AnalysisStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.analysis import Result
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.bests import with_bests
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.statistics import Grouping
from orchestrator.ports.analysis_store import AnalysisStore, Scope
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from tests.contract.job_store import add, make_metric
from tests.factories import NOW, make_attempt

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVER = Scope(user_id=None, since=NOW - DAY, until=NOW + 10 * DAY)
NEXT_WEEK = NOW + 7 * DAY


def start(jobs, *, after, gpus=1, **changes):
    """A job that began to run so long after its submission."""
    job = add(jobs, **{"created_at": NOW, "updated_at": NOW, "gpus": gpus} | changes)
    devices = tuple(f"GPU-{job.id}-{number}" for number in range(gpus))
    claimed = job.claimed(slot=1, devices=devices, at=job.created_at)
    began_at = job.created_at + after
    attempt = make_attempt(job, devices=devices)
    claimed = jobs.claim(claimed, attempt, status_event(None, claimed, "Claimed."))
    running_attempt = attempt.evolve(started_at=began_at)
    return jobs.save(claimed.running(started_at=began_at, at=began_at), running_attempt), running_attempt


def run(jobs, *, after, seconds, reason=EndReason.ADAPTER_VERIFIED, **changes):
    """A job that ended so many seconds after its start."""
    job, attempt = start(jobs, after=after, **changes)
    ended_at = attempt.started_at + timedelta(seconds=seconds)
    return jobs.save(job.ended(reason, at=ended_at), attempt.evolve(finished_at=ended_at))


class AnalysisStoreContract:
    @pytest.fixture
    def store(self) -> AnalysisStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def jobs(self) -> JobStore:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def records(self) -> RecordStore:
        """Over the same database."""
        raise NotImplementedError

    def test_no_jobs_are_all_zeros(self, store):
        tally = store.tally(EVER, now=NOW)

        assert (tally.total, tally.started, tally.run_seconds) == (0, 0, 0.0)
        assert (tally.success_rate, tally.mean_queue_seconds, tally.mean_run_seconds) == (None, None, None)
        assert set(tally.jobs) == set(JobStatus)
        assert store.tallies(EVER, Grouping.DAY, now=NOW) == {}
        assert store.results([], now=NOW) == {}

    def test_jobs_are_counted_by_state_with_their_times_and_gpus(self, store, jobs):
        run(jobs, after=timedelta(seconds=10), seconds=100)
        run(jobs, after=timedelta(seconds=30), seconds=200, gpus=3, user_id="b")
        run(jobs, after=timedelta(seconds=20), seconds=50, user_id="c", reason=EndReason.LOSS_NOT_FINITE)
        run(jobs, after=timedelta(0), seconds=0, user_id="d", reason=EndReason.CANCEL_REQUESTED)
        add(jobs, created_at=NOW)

        tally = store.tally(EVER, now=NOW + HOUR)

        assert {status: count for status, count in tally.jobs.items() if count} == {
            JobStatus.COMPLETED: 2,
            JobStatus.FAILED: 1,
            JobStatus.CANCELLED: 1,
            JobStatus.QUEUED: 1,
        }
        assert tally.success_rate == pytest.approx(2 / 3)
        assert (tally.started, tally.mean_queue_seconds) == (4, pytest.approx(15, abs=0.01))
        assert tally.run_seconds == pytest.approx(350, abs=0.01)
        assert tally.gpu_seconds == pytest.approx(100 + 3 * 200 + 50, abs=0.01)

    def test_a_job_at_work_has_run_until_now(self, store, jobs):
        job, _ = start(jobs, after=timedelta(0))

        assert store.tally(EVER, now=NOW + HOUR).run_seconds == pytest.approx(3_600, abs=0.01)
        assert store.results([job.id], now=NOW + HOUR)[job.id].run_seconds == pytest.approx(3_600, abs=0.01)

    def test_a_lost_attempt_ran_until_it_was_last_heard_of(self, store, jobs):
        job, attempt = start(jobs, after=timedelta(0))
        lost = attempt.evolve(last_event_at=NOW + timedelta(seconds=40))
        jobs.save(job.requeued(at=NOW + HOUR, message="Lost."), lost)

        assert store.tally(EVER, now=NEXT_WEEK).run_seconds == pytest.approx(40, abs=0.01)

    def test_only_jobs_of_the_user_and_the_window_count(self, store, jobs):
        for user, day in (("a", 0), ("a", 1), ("b", 1), ("a", 2)):
            add(jobs, user_id=user, created_at=NOW + day * DAY)

        def count(**changes):
            return store.tally(replace(EVER, **changes), now=NEXT_WEEK).total

        assert (count(), count(user_id="a"), count(user_id="b")) == (4, 3, 1)
        assert count(since=NOW + DAY, until=NOW + 2 * DAY) == 2

    def test_days_are_those_of_utc_and_come_in_order(self, store, jobs):
        for hours in (47, 0, 23, 24):
            add(jobs, created_at=NOW + timedelta(hours=hours))

        days = store.tallies(EVER, Grouping.DAY, now=NEXT_WEEK)

        assert [(day, tally.total) for day, tally in days.items()] == [("2026-01-01", 2), ("2026-01-02", 2)]

    def test_groups_with_the_most_jobs_come_first(self, store, jobs):
        for user, model in (("a", "model/x"), ("b", "model/y"), ("b", "model/y"), ("c", "model/y")):
            run(jobs, after=timedelta(0), seconds=10, user_id=user, base_model=model)

        users = store.tallies(EVER, Grouping.USER, now=NEXT_WEEK)
        models = store.tallies(EVER, Grouping.BASE_MODEL, now=NEXT_WEEK)

        assert [(user, tally.total) for user, tally in users.items()] == [("b", 2), ("a", 1), ("c", 1)]
        assert list(models) == ["model/y", "model/x"]
        assert models["model/y"].run_seconds == pytest.approx(30, abs=0.01)
        assert list(store.tallies(EVER, Grouping.USER, now=NEXT_WEEK, limit=1)) == ["b"]

    def test_a_result_holds_the_earliest_best_validation_and_the_kept_checkpoints(self, store, jobs, records):
        job, other = add(jobs), add(jobs)
        losses = {100: 0.5, 200: 0.2, 300: 0.2, 400: None}
        rows = [replace(make_metric(job, step), val_loss=loss) for step, loss in losses.items()]
        jobs.save(job.with_progress(with_bests(job.progress, rows), at=NOW), metrics=rows)
        records.add_artifacts([_checkpoint(job, step) for step in (400, 200)])

        results = store.results([job.id, other.id], now=NOW)

        assert results[other.id] == Result()
        assert results[job.id] == Result(best_val_loss=0.2, best_step=200, checkpoints=("step-000200", "step-000400"))


def _checkpoint(job, step):
    path = f"checkpoints/step-{step:06d}/adapter.safetensors"
    return Artifact(
        id=f"{step}-{job.id}"[:36],
        job_id=job.id,
        attempt=1,
        kind=ArtifactKind.CHECKPOINT,
        name="adapter.safetensors",
        path=path,
        size_bytes=1,
        sha256="0" * 64,
        created_at=NOW,
    )
