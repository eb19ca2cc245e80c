"""What every RecordStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.errors import NotFound, StaleJob
from orchestrator.domain.events import JobEvent
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.resources import DeviceMemory
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import EngineStatus, RecordStore, SuspectDevice
from tests.contract.job_store import add, make_metric
from tests.factories import NOW, make_artifact, make_lineage

STATUS = EngineStatus(
    last_pass_at=NOW,
    engine_id="engine",
    is_image_present=True,
    devices=("GPU-1", "GPU-2"),
    device_memory={"GPU-1": DeviceMemory(total_bytes=80 * 1024**3, free_bytes=70 * 1024**3)},
)


def _artifact(job, path, **changes):
    facts = {
        "id": f"{path}-{job.id}"[:36],
        "job_id": job.id,
        "attempt": 1,
        "kind": ArtifactKind.SAMPLE,
        "name": path,
        "path": path,
        "size_bytes": 2**40,
        "sha256": "0" * 64,
        "created_at": NOW,
    }
    return Artifact(**facts | changes)


def _said(job, type_, message, attempt=1):
    data = {"message": message, "nested": [1, {"a": None}]}
    return JobEvent(job_id=job.id, attempt=attempt, type=type_, message=message, at=NOW, data=data)


class RecordStoreContract:
    @pytest.fixture
    def store(self) -> RecordStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def jobs(self, store) -> JobStore:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def job(self, jobs):
        return add(jobs)

    def test_events_come_in_order_after_the_one_already_seen(self, store, jobs, job):
        jobs.save(job, events=[_said(job, "error", message) for message in ("one", "two", "three")])
        events = store.events(job.id)

        assert [event.message for event in events] == ["Submitted.", "one", "two", "three"]
        assert replace(events[1], id=None) == _said(job, "error", "one")
        assert list(store.events(job.id, after_id=events[1].id, limit=1)) == [events[2]]
        assert list(store.events(job.id, after_id=events[-1].id)) == []

    def test_one_jobs_records_are_not_anothers(self, store, jobs, job):
        other = add(jobs)
        jobs.save(other, events=[_said(other, "error", "mine")], metrics=[make_metric(other, 1)])
        store.add_artifacts([_artifact(other, "a.png")])

        assert [event.message for event in store.events(job.id)] == ["Submitted."]
        assert list(store.curve(job.id).points) == []
        assert list(store.artifacts(job.id)) == []

    def test_the_latest_event_is_the_newest_of_its_type_and_attempt(self, store, jobs, job):
        said = [_said(job, "error", "old"), _said(job, "error", "new"), _said(job, "result", "r")]
        jobs.save(job, events=[*said, _said(job, "error", "next attempt", attempt=2)])

        assert store.latest_event(job.id, attempt=1, type="error").message == "new"
        assert store.latest_event(job.id, attempt=2, type="error").message == "next attempt"
        assert store.latest_event(job.id, attempt=2, type="result") is None

    def test_metrics_come_in_order_of_their_steps(self, store, jobs, job):
        rows = [make_metric(job, step) for step in (3, 1, 2)]
        jobs.save(job, metrics=rows)

        assert list(store.curve(job.id).points) == [rows[1], rows[2], rows[0]]

    def test_a_long_series_is_thinned_to_what_a_curve_needs_over_all_attempts(self, store, jobs, job):
        rows = [
            replace(make_metric(job, step, loss=9.0 if step == 777 else 0.5), attempt=attempt)
            for attempt in (1, 2)
            for step in range(1, 1_001)
        ]
        rows[1_233] = replace(rows[1_233], val_loss=0.25)
        jobs.save(job, metrics=rows)

        curve = store.curve(job.id, points=50)

        kept = curve.points
        assert curve.measured_count == len(rows)
        assert len(kept) <= 50
        assert set(kept) <= set(rows)
        assert [row for row in kept if row.loss == 9.0] == [rows[776], rows[1_776]]
        assert (kept[0], kept[-1]) == (rows[0], rows[-1])
        assert rows[1_233] in kept
        assert [(row.attempt, row.step) for row in kept] == sorted((row.attempt, row.step) for row in kept)

    def test_of_one_attempt_all_points_go_to_its_own_curve(self, store, jobs, job):
        rows = [replace(make_metric(job, step), attempt=attempt) for attempt in (1, 2) for step in range(1, 41)]
        jobs.save(job, metrics=rows)

        curve = store.curve(job.id, attempt=2, points=40)
        thinned = store.curve(job.id, attempt=2, points=10)

        assert (list(curve.points), curve.measured_count) == (rows[40:], 40)
        assert (set(thinned.points) < set(rows[40:]), thinned.measured_count) == (True, 40)

    def test_checkpoints_of_several_jobs_are_named_by_their_folders(self, store, jobs, job):
        other, bare = add(jobs), add(jobs)
        for owner, steps in ((job, (400, 200)), (other, (100,))):
            for step in steps:
                for name in ("adapter.safetensors", "state.json"):
                    path = f"checkpoints/step-{step:06d}/{name}"
                    kept = _artifact(owner, path, kind=ArtifactKind.CHECKPOINT, id=f"{step}{name[0]}-{owner.id}"[:36])
                    store.add_artifacts([kept])
        store.add_artifacts([_artifact(job, "samples/one.png"), _artifact(bare, "samples/one.png")])

        assert store.checkpoints([job.id, other.id, bare.id]) == {
            job.id: ("step-000200", "step-000400"),
            other.id: ("step-000100",),
        }

    def test_artifacts_come_oldest_first(self, store, job):
        young = _artifact(job, "a.png", created_at=NOW + timedelta(seconds=1))
        old = _artifact(job, "b.png", kind=ArtifactKind.ADAPTER)
        store.add_artifacts([young, old])

        assert list(store.artifacts(job.id)) == [old, young]
        assert store.artifact(old.id) == old

    def test_an_artifact_that_is_already_there_is_left_as_it_is(self, store, job):
        first = _artifact(job, "a.png")
        store.add_artifacts([first])
        store.add_artifacts([replace(first, id="another", size_bytes=1), _artifact(job, "b.png")])

        assert [artifact.size_bytes for artifact in store.artifacts(job.id)] == [2**40, 2**40]
        assert store.artifact(first.id) == first

    def test_removed_artifacts_are_gone_and_the_others_stay(self, store, job):
        gone, kept = _artifact(job, "a.png"), _artifact(job, "b.png")
        store.add_artifacts([gone, kept])
        for ids in ([gone.id, "never there"], [gone.id], []):
            store.remove_artifacts(ids)

        assert list(store.artifacts(job.id)) == [kept]

    def test_events_of_one_type_come_in_order_over_all_attempts(self, store, jobs, job):
        told = [_said(job, "sample", "one"), _said(job, "error", "no"), _said(job, "sample", "two", attempt=2)]
        jobs.save(job, events=told)

        assert [event.message for event in store.events_of_type(job.id, "sample")] == ["one", "two"]

    def test_trained_files_are_a_users_weights_each_path_once_and_newest_first(self, store, jobs):
        job, theirs = add(jobs, user_id="user-1"), add(jobs, user_id="user-2")
        files = {
            "a.safetensors": ArtifactKind.ADAPTER,
            "model.pt": ArtifactKind.MODEL,
            "checkpoints/step-000100/state.safetensors": ArtifactKind.CHECKPOINT,
            "checkpoints/step-000100/manifest.json": ArtifactKind.CHECKPOINT,
            "samples/a.png": ArtifactKind.SAMPLE,
        }
        first, *_ = kept = [
            make_artifact(job, path=path, kind=kind, created_at=NOW - timedelta(seconds=age))
            for age, (path, kind) in enumerate(files.items())
        ]
        again = make_artifact(job, path=first.path, attempt=2, created_at=NOW + timedelta(seconds=1))
        store.add_artifacts([*kept, again, make_artifact(theirs)])

        page = store.trained_files("user-1")
        assert (page.artifacts, page.total) == ((again, kept[1], kept[2]), 3)
        assert store.trained_files("user-1", page=2, page_size=2).artifacts == (kept[2],)

    def test_adding_no_artifacts_adds_none(self, store, job):
        store.add_artifacts([])

        assert list(store.artifacts(job.id)) == []

    def test_an_unknown_artifact_is_not_found(self, store):
        with pytest.raises(NotFound) as missing:
            store.artifact("nothing")
        assert missing.value.code == "ARTIFACT_NOT_FOUND"

    def test_lineage_is_stored_with_the_change_that_it_explains_and_a_newer_attempts_replaces_it(
        self, store, jobs, job
    ):
        assert store.lineage(job.id) is None
        first, second = make_lineage(job), make_lineage(job, attempt=2, memory_profile=MemoryProfile.SINGLE)

        job = jobs.save(job, lineage=first)
        assert store.lineage(job.id) == first
        jobs.save(job, lineage=second)
        assert store.lineage(job.id) == second

    def test_an_adapters_hash_joins_the_lineage_of_its_job(self, store, jobs, job):
        adapter = make_artifact(job)
        store.add_artifacts([adapter])
        job = jobs.save(job, lineage=make_lineage(job))

        jobs.save(job, adapter=adapter)
        assert store.lineage(job.id) == make_lineage(job, adapter_sha256=adapter.sha256)

    def test_no_lineage_is_stored_with_a_change_that_came_too_late(self, store, jobs, job):
        jobs.save(job)
        with pytest.raises(StaleJob):
            jobs.save(job, lineage=make_lineage(job))

        assert store.lineage(job.id) is None

    def test_the_last_word_about_the_engine_is_kept(self, store):
        assert store.engine_status() is None
        store.save_engine_status(STATUS)
        assert store.engine_status() == STATUS

        gone = EngineStatus(last_pass_at=NOW + timedelta(seconds=1), unreachable_since=NOW, problem="gone")
        store.save_engine_status(gone)
        assert store.engine_status() == gone

    def test_a_suspect_device_stays_so_until_it_is_cleared(self, store):
        store.mark_suspect(["GPU-b", "GPU-a"], reason="The driver failed.", job_id="job-1", at=NOW)
        store.mark_suspect(["GPU-c"], reason="The driver failed.", job_id="job-2", at=NOW + timedelta(seconds=1))
        store.mark_suspect([], reason="Nothing was held.", job_id="job-3", at=NOW)
        store.clear_suspect(["GPU-b", "never marked"])

        assert [(each.device, each.job_id, each.suspect_since) for each in store.suspect_devices()] == [
            ("GPU-a", "job-1", NOW),
            ("GPU-c", "job-2", NOW + timedelta(seconds=1)),
        ]

    def test_a_suspect_device_that_fails_again_is_suspect_since_the_first_time(self, store):
        store.mark_suspect(["GPU-a"], reason="once", job_id="job-1", at=NOW)
        store.mark_suspect(["GPU-a"], reason="twice", job_id="job-2", at=NOW + timedelta(hours=1))

        assert list(store.suspect_devices()) == [
            SuspectDevice(device="GPU-a", reason="twice", job_id="job-2", suspect_since=NOW)
        ]
