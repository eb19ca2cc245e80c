"""What is taken away when, what never is, and what is left to say so."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from orchestrator.adapters.filesystem.data_folder import FilesystemDataFolder
from orchestrator.adapters.memory import ManualClock, MemoryArtifactStore, MemoryContainerRuntime, MemoryWorkspace
from orchestrator.adapters.sql import SqlAuditLog, SqlJobStore, SqlRecordStore, SqlRetentionStore, SqlTrash
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.errors import NotFound, StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.retention import Kind, RetentionPolicy
from orchestrator.ports.data_folder import Folder
from orchestrator.services.cleanup import Cleanup
from orchestrator.services.retention import DELETED, Retention
from orchestrator.services.sweep import Sweep
from tests.contract.job_store import make_metric
from tests.factories import NOW, make_attempt, make_job, make_spec
from tests.unit.services.world import ALICE

UNDO_WINDOW = timedelta(hours=1)
DAYS = {Kind.METRICS: 40, Kind.EVENTS: 50, Kind.LOGS: 20, Kind.OUTPUTS: 10, Kind.CHECKPOINTS: 30}


class Place:
    """A data directory and a store, with jobs that have everything that ages."""

    def __init__(self, database, data_dir):
        self.data_dir = data_dir
        self.clock = ManualClock()
        self.jobs, self.records, self.store = (
            SqlJobStore(database),
            SqlRecordStore(database),
            SqlRetentionStore(database),
        )
        self.trash = SqlTrash(database)
        self.audit_log = SqlAuditLog(database)
        self.workspace = MemoryWorkspace()
        self.artifacts = MemoryArtifactStore(self.workspace)
        self.engine = MemoryContainerRuntime(clock=self.clock)
        self.folder = FilesystemDataFolder(data_dir)

    def retention(self, days=DAYS, *, store=None):
        return Retention(
            store=store or self.store,
            trash=self.trash,
            undo=UndoPolicy(UNDO_WINDOW),
            records=self.records,
            artifacts=self.artifacts,
            folder=self.folder,
            clock=self.clock,
            policy=RetentionPolicy(days),
        )

    def cleanup(self, days=DAYS):
        sweep = Sweep(jobs=self.jobs, runtime=self.engine, clock=self.clock, orphan_grace_seconds=300)
        return Cleanup(
            retention=self.retention(days),
            sweep=sweep,
            jobs=self.jobs,
            runtime=self.engine,
            store=self.store,
            folder=self.folder,
            audit_log=self.audit_log,
            clock=self.clock,
        )

    def running_job(self):
        """A job with metrics, a log, outputs, a checkpoint and an adapter file."""
        job = make_job()
        self.jobs.add(job, status_event(None, job, "Submitted."))
        claimed = job.claimed(slot=1, devices=(f"cpu-{job.id}",), at=NOW)
        attempt = make_attempt(job, devices=(f"cpu-{job.id}",))
        claimed = self.jobs.claim(claimed, attempt, status_event(job, claimed, "Claimed."))
        running = claimed.running(started_at=NOW, at=NOW)
        running = self.jobs.save(running, attempt, metrics=[make_metric(job, step=step) for step in (1, 2)])
        self._leave_files(job)
        return running

    def _leave_files(self, job):
        for path in (f"outputs/{job.id}/checkpoints/step-1/weights", f"logs/{job.id}.log", f"configs/{job.id}.json"):
            file = self.data_dir / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * 5000)
        self.workspace.prepare(job.id, {})
        kinds = {
            "checkpoints/1/a.json": ArtifactKind.CHECKPOINT,
            "adapter.safetensors": ArtifactKind.ADAPTER,
            "samples/1.png": ArtifactKind.SAMPLE,
        }
        for path in kinds:
            self.workspace.write(job.id, path, b"12345")
        self.artifacts.collect(job.id)
        self.records.add_artifacts([_artifact(job, path, kind) for path, kind in kinds.items()])

    def ended_job(self, reason=EndReason.ADAPTER_VERIFIED, *, days_ago=0):
        running = self.running_job()
        ended = running.ended(reason, at=self.clock.now() - timedelta(days=days_ago))
        return self.jobs.save(ended, events=[status_event(running, ended, "Ended.")])

    def has(self, job):
        """Which kinds of things are there of a job."""
        there = {
            "metrics": self.records.curve(job.id).points,
            "events": [event for event in self.records.events(job.id) if event.type != "gap"],
            "logs": (self.data_dir / "logs" / f"{job.id}.log").exists(),
            "outputs": (self.data_dir / "outputs" / job.id).exists(),
            "checkpoints": [file for file in self.records.artifacts(job.id) if file.kind is ArtifactKind.CHECKPOINT],
        }
        return {kind for kind, value in there.items() if value}

    def on_disk(self, job):
        """In how many folders a job has something."""
        return sum(job.id in self.folder.job_ids(folder) for folder in Folder)

    def gaps(self, job):
        return [event.data["removed"] for event in self.records.events(job.id) if event.type == "gap"]


def _artifact(job, path, kind):
    return Artifact(
        id=f"{job.id[:20]}{path}"[:36],
        job_id=job.id,
        attempt=1,
        kind=kind,
        name=path,
        path=path,
        size_bytes=5,
        sha256="0" * 64,
        created_at=NOW,
    )


@pytest.fixture
def place(database, data_dir):
    return Place(database, data_dir)


ALL = {"metrics", "events", "logs", "outputs", "checkpoints"}


def test_nothing_is_taken_before_its_time(place):
    job = place.ended_job(days_ago=9)

    place.retention().apply()

    assert (place.has(job), place.gaps(job)) == (ALL, [])


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (11, ALL - {"outputs"}),
        (21, ALL - {"outputs", "logs"}),
        (31, {"metrics", "events"}),
        (41, {"events"}),
        (51, set()),
    ],
)
def test_each_kind_goes_after_its_own_days(place, days, left):
    job = place.ended_job(days_ago=days)

    place.retention().apply()

    assert place.has(job) == left


@pytest.mark.parametrize("kind", Kind)
def test_no_days_keep_for_ever(place, kind):
    job = place.ended_job(days_ago=10_000)

    place.retention(DAYS | {kind: 0}).apply()

    assert place.has(job) == {str(kind)}


def test_the_job_and_its_adapter_and_samples_are_never_taken(place):
    job = place.ended_job(days_ago=10_000)

    place.retention().apply()

    assert place.jobs.get(job.id) == job
    assert {file.path for file in place.records.artifacts(job.id)} == {"adapter.safetensors", "samples/1.png"}
    assert place.artifacts.open(job.id, "adapter.safetensors").read() == b"12345"
    with pytest.raises(NotFound):
        place.artifacts.open(job.id, "checkpoints/1/a.json")


def test_a_job_that_has_not_ended_keeps_everything_however_old_it_is(place):
    job = place.running_job()
    place.clock.advance(10_000 * 86_400)

    place.retention().apply()

    assert (place.has(job), place.gaps(job)) == (ALL, [])


def test_where_records_are_missing_the_history_says_which_and_until_when(place):
    job = place.ended_job(days_ago=60)

    place.retention().apply()

    assert sorted(place.gaps(job)) == ["checkpoints", "events", "logs", "metrics"]
    gap = next(event for event in place.records.events(job.id) if event.data["removed"] == "metrics")
    assert gap.data["until"] == job.completed_at.isoformat(timespec="seconds")
    assert gap.message == f"The metrics until {gap.data['until']} were removed: they are kept for 40 days."


def test_doing_it_again_changes_nothing(place):
    job = place.ended_job(days_ago=60)
    place.retention().apply()
    events = place.records.events(job.id)

    assert {each.count for each in place.retention().apply()} == {0}
    assert place.records.events(job.id) == events


def test_a_round_takes_no_more_jobs_than_its_batch_and_the_next_one_goes_on(place):
    jobs = [place.ended_job(days_ago=60) for _ in range(5)]

    place.retention().apply(batch=2)
    assert sum(place.has(job) == set() for job in jobs) <= 2
    assert sum("outputs" in place.has(job) for job in jobs) == 3
    for _ in range(2):
        place.retention().apply(batch=2)

    assert [place.has(job) for job in jobs] == [set()] * 5


def test_a_preview_counts_what_would_go_and_removes_nothing(place):
    job = place.ended_job(days_ago=60)

    previewed = place.retention().preview()
    assert place.has(job) == ALL
    removed = place.retention().apply()

    assert [each.count for each in previewed] == [2, 3, 1, 1, 1, 0]
    assert {each.kind: each.count for each in removed} == {each.kind: each.count for each in previewed}
    sizes = {each.kind: each.size_bytes for each in removed}
    assert (sizes["logs"], sizes["checkpoints"], sizes["metrics"]) == (5000, 5, 0)
    assert sizes["outputs"] >= 5000


class _RetriedMeanwhile(SqlRetentionStore):
    """The user asks for another attempt right after the job was found to be due."""

    def while_ended(self, job_id, gap):
        jobs = SqlJobStore(self._database)
        job = jobs.get(job_id)
        if job.status.is_final:
            jobs.save(job.reopened(at=NOW, resume_from=None))
        return super().while_ended(job_id, gap)


def test_a_job_that_is_tried_again_at_that_moment_keeps_its_outputs(place, database):
    job = place.ended_job(EndReason.TRAINER_FAILED, days_ago=12)

    place.retention(store=_RetriedMeanwhile(database)).apply()

    assert "outputs" in place.has(job)


def test_hostile_outputs_are_deleted_without_following_their_links(place, tmp_path):
    job = place.ended_job(days_ago=12)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    outputs = place.data_dir / "outputs" / job.id
    (outputs / "link").symlink_to(outside)
    os.mkfifo(outputs / "fifo")
    closed = outputs / "closed"
    closed.mkdir()
    (closed / "file").write_text("x")
    closed.chmod(0)
    outputs.chmod(0)

    place.retention().apply()

    assert not outputs.exists()
    assert list((place.data_dir / "outputs" / ".trash").iterdir()) == []
    assert (outside / "precious").read_text() == "keep"


def test_what_a_killed_process_had_set_aside_is_deleted_by_the_next_one(place):
    job = place.ended_job(days_ago=12)
    place.folder.set_aside("outputs", job.id)

    place.retention().apply()

    assert list((place.data_dir / "outputs" / ".trash").iterdir()) == []


class _Away(SqlRetentionStore):
    def aged(self, kind, **_):
        raise StoreUnavailable("The store is away.")


def test_a_store_that_is_away_puts_the_round_off(place, database):
    job = place.ended_job(days_ago=60)

    with pytest.raises(StoreUnavailable):
        place.retention(store=_Away(database)).apply()
    assert place.has(job) >= {"metrics", "events"}


def test_a_deleted_jobs_files_follow_its_rows_and_nobody_elses(place):
    job, kept = place.ended_job(), place.ended_job()
    rows = place.data_dir / "configs" / f"{job.id}.rows.csv"
    rows.write_text("1,2")
    place.jobs.delete(place.jobs.get(job.id), at=place.clock.now())
    unknown = make_job()
    (place.data_dir / "logs" / f"{unknown.id}.log").write_bytes(b"x")  # as after a store was restored from a backup

    previewed, removed = (
        next(each for each in found if each.kind == DELETED)
        for found in (place.retention().preview(), place.retention().apply())
    )
    assert previewed == removed
    assert (removed.count, removed.size_bytes >= 15_000) == (1, True)
    assert [place.on_disk(each) for each in (job, kept, unknown)] == [0, 3, 1]
    assert not rows.exists()
    assert sum(each.count for each in place.retention().apply()) == 0


def test_a_deleted_job_that_can_be_brought_back_keeps_everything_until_it_no_longer_can(place):
    job = place.ended_job()
    before = place.has(job)
    place.jobs.delete(place.jobs.get(job.id), at=place.clock.now(), is_restorable=True)
    place.clock.advance(UNDO_WINDOW.total_seconds())
    assert sum(each.count for each in place.retention().apply()) == 0
    assert (place.has(job), place.on_disk(job)) == (before, 3)

    place.clock.advance(1)
    previewed, removed = (
        next(each for each in found if each.kind == DELETED)
        for found in (place.retention().preview(), place.retention().apply())
    )
    assert previewed == removed
    assert removed.count == 1
    assert (place.has(job), place.on_disk(job)) == (set(), 0)
    with pytest.raises(NotFound):
        place.trash.restore(job.id, since=NOW, at=place.clock.now())


class TestCleanup:
    @staticmethod
    def counts(report):
        return {each.kind: each.count for each in report.removed if each.count}

    def test_it_takes_what_is_due_and_what_belongs_to_nobody(self, place):
        place.ended_job(days_ago=12)
        fresh = place.ended_job()
        stranger = make_job()
        for path in (f"outputs/{stranger.id}/x", f"artifacts/{stranger.id}/y", f"logs/{stranger.id}.log"):
            file = place.data_dir / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
            os.utime(file.parent if file.suffix != ".log" else file, (0, 0))
        place.clock.advance(7200)
        for name in (".staging-tiny-1", ".sealed-tiny-2"):
            (place.data_dir / "models" / name).mkdir(parents=True)
            os.utime(place.data_dir / "models" / name, (0, 0))
        (place.data_dir / "models" / "tiny").mkdir()
        os.utime(place.data_dir / "models" / "tiny", (0, 0))
        expected = {
            "outputs": 1,
            "outputs of no job": 1,
            "artifacts of no job": 1,
            "logs of no job": 1,
            "staged models": 2,
        }

        assert self.counts(place.cleanup().preview()) == expected
        assert place.audit_log.list().total == 0
        assert self.counts(place.cleanup().run()) == expected
        assert self.counts(place.cleanup().run()) == {}
        assert place.has(fresh) == ALL
        assert (place.data_dir / "models" / "tiny").exists()
        entry = place.audit_log.list().entries[-1]
        assert (entry.action, entry.data["removed"]) == ("cleaned_up", expected)

    def test_young_files_of_no_job_may_be_somebodys_who_is_at_work(self, place):
        stranger = make_job()
        file = place.data_dir / "logs" / f"{stranger.id}.log"
        file.parent.mkdir()
        file.write_bytes(b"x")
        now = place.clock.now().timestamp()
        os.utime(file, (now, now))

        assert self.counts(place.cleanup().run()) == {}
        assert file.exists()

    def test_containers_of_ended_jobs_are_removed_and_those_at_work_are_not(self, place):
        ended, running = place.ended_job(), place.running_job()
        for job in (ended, running):
            place.engine.start(place.engine.create(make_spec(job.id)).id)

        assert self.counts(place.cleanup().preview()) == {"containers": 1}
        assert len(place.engine.snapshot().containers) == 2
        assert self.counts(place.cleanup().run()) == {"containers": 1}
        assert [each.job_id for each in place.engine.snapshot().containers] == [running.id]

    def test_an_engine_that_is_down_is_said_and_the_rest_is_done(self, place):
        place.ended_job(days_ago=12)
        place.engine.is_reachable = False

        report = place.cleanup().run()

        assert report.problem.startswith("Containers were not looked at.")
        assert self.counts(report) == {"outputs": 1}


def test_a_job_tried_again_after_its_outputs_are_gone_is_read_from_the_beginning(world):
    job_id = world.submit()
    world.run_once()
    for step in (1, 2, 3):
        world.write_event(job_id, "metrics", step=step, loss=0.5, epoch=0)
    world.exit(job_id, 70)
    world.run_once()
    world.workspace.remove(job_id)
    world.jobs.retry(ALICE, job_id, resume_from=None)

    world.run_once()
    world.write_event(job_id, "metrics", step=4, loss=0.4, epoch=0)
    world.run_once()

    assert [(row.attempt, row.step) for row in world.records.curve(job_id).points] == [(1, 1), (1, 2), (1, 3), (2, 4)]
