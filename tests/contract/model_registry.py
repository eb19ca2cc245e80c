"""What every ModelRegistry does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.errors import Conflict, NotFound, StaleJob
from orchestrator.domain.events import promotion_event
from orchestrator.domain.identity import Actor
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.model_registry import ModelRegistry
from orchestrator.ports.record_store import RecordStore
from tests.contract.job_store import add
from tests.factories import NOW, make_artifact, make_lineage

USER = "user-1"


class ModelRegistryContract:
    @pytest.fixture
    def store(self) -> ModelRegistry:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def jobs(self, store) -> JobStore:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def records(self, store) -> RecordStore:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def register(self, store, jobs, records):
        """`register(name)`: a job of USER's has completed; its adapter file."""
        ages = iter(range(100))

        def run(name: str, user: str = USER) -> Artifact:
            job = add(jobs, user_id=user, trigger_words=("sks",))
            store.reserve(job, name, at=NOW)
            adapter = make_artifact(job, kind=ArtifactKind.ADAPTER, sha256=f"{next(ages):064}")
            records.add_artifacts([adapter])
            jobs.save(job.with_progress(job.progress, at=NOW + timedelta(seconds=next(ages))), adapter=adapter)
            return adapter

        return run

    def test_versions_of_a_name_count_from_one_for_each_user(self, store, jobs):
        numbers = [
            store.reserve(add(jobs, user_id=user), name, at=NOW).version
            for user, name in ((USER, "cat"), (USER, "cat"), (USER, "dog"), ("user-2", "cat"))
        ]
        assert numbers == [1, 2, 1, 1]

    def test_jobs_that_are_launched_side_by_side_get_a_number_each(self, store, jobs):
        launched = [add(jobs, user_id=USER) for _ in range(8)]
        with ThreadPoolExecutor(len(launched)) as threads:
            reserved = list(threads.map(lambda job: store.reserve(job, "cat", at=NOW), launched))

        assert sorted(version.version for version in reserved) == [1, 2, 3, 4, 5, 6, 7, 8]

    def test_a_job_keeps_its_version_whatever_name_it_asks_for_next(self, store, jobs):
        job = add(jobs)
        reserved = store.reserve(job, "cat", at=NOW)

        assert store.reserve(job, "dog", at=NOW + timedelta(days=1)) == reserved

    def test_what_is_reserved_is_not_shown(self, store, jobs):
        store.reserve(add(jobs, user_id=USER), "cat", at=NOW)

        assert store.list(USER).total == 0
        assert list(store.versions(USER, "cat")) == []

    def test_a_completed_jobs_adapter_is_its_version(self, store, register):
        adapter = register("cat")

        (version,) = store.versions(USER, "cat")
        assert (version.job_id, version.artifact_id, version.sha256) == (adapter.job_id, adapter.id, adapter.sha256)
        assert (version.size_bytes, version.trigger_words) == (adapter.size_bytes, ("sks",))
        assert version.registered_at is not None

    def test_models_are_listed_by_their_newest_version_and_in_pages(self, store, register):
        for name in ("cat", "dog", "cat"):
            register(name)
        register("bird", user="user-2")

        page = store.list(USER)
        assert [(model.name, model.latest.version, model.version_count) for model in page.models] == [
            ("cat", 2, 2),
            ("dog", 1, 1),
        ]
        second = store.list(USER, page=2, page_size=1)
        assert ([model.name for model in second.models], second.total) == (["dog"], 2)

    def test_versions_come_newest_first_and_only_to_their_user(self, store, register):
        register("cat")
        register("cat")

        assert [version.version for version in store.versions(USER, "cat")] == [2, 1]
        assert list(store.versions("user-2", "cat")) == []

    def test_a_model_is_renamed_with_all_its_versions_and_the_count_goes_on(self, store, jobs, register):
        register("cat")
        register("cat")
        store.rename(USER, "cat", "گربه")

        assert [version.version for version in store.versions(USER, "گربه")] == [2, 1]
        assert store.reserve(add(jobs, user_id=USER), "گربه", at=NOW).version == 3

    def test_a_model_is_not_renamed_to_a_name_that_is_taken_or_was(self, store, register):
        for name in ("cat", "dog", "bird"):
            register(name)
        store.delete(USER, "bird", version=None, at=NOW)

        for taken in ("dog", "bird"):
            with pytest.raises(Conflict):
                store.rename(USER, "cat", taken)
        store.rename(USER, "cat", "cat")
        assert len(store.versions(USER, "cat")) == 1

    def test_a_deleted_versions_number_is_not_given_again(self, store, jobs, register):
        register("cat")
        register("cat")
        store.delete(USER, "cat", version=2, at=NOW)

        assert [version.version for version in store.versions(USER, "cat")] == [1]
        assert store.reserve(add(jobs, user_id=USER), "cat", at=NOW).version == 3

    def test_deleting_a_model_forgets_every_version_and_leaves_the_files(self, store, records, register):
        adapter = register("cat")
        register("cat")
        store.delete(USER, "cat", version=None, at=NOW)

        assert list(store.versions(USER, "cat")) == []
        assert store.list(USER).total == 0
        assert records.artifact(adapter.id) == adapter

    @pytest.mark.parametrize("version", [None, 2])
    def test_what_is_not_registered_is_not_found(self, store, register, version):
        register("cat", user="user-2")
        register("dog")

        for name in ("cat", "nothing", "dog") if version else ("cat", "nothing"):
            with pytest.raises(NotFound):
                store.delete(USER, name, version=version, at=NOW)
        for name in ("cat", "nothing"):
            with pytest.raises(NotFound):
                store.rename(USER, name, "new")

    def test_a_deleted_job_takes_everything_with_it_but_the_number_of_its_version(self, store, jobs, records, register):
        adapter = register("cat")
        job = jobs.get(adapter.job_id)
        ended = jobs.save(job.ended(EndReason.TRAINER_FAILED, at=NOW), lineage=make_lineage(job))
        jobs.delete(ended, at=NOW)

        for gone in (lambda: jobs.get(job.id), lambda: records.artifact(adapter.id)):
            with pytest.raises(NotFound):
                gone()
        assert records.lineage(job.id) is None
        assert list(store.versions(USER, "cat")) == []
        assert store.reserve(add(jobs, user_id=USER), "cat", at=NOW).version == 2

    @pytest.fixture
    def promote(self, store, jobs, records):
        """`promote(adapter, step)`: a checkpoint of the adapter's job becomes a version too."""

        def run(adapter: Artifact, step: int, name: str | None = None):
            job = jobs.get(adapter.job_id)
            path = f"checkpoints/step-{step:06d}/adapter.safetensors"
            known = [file for file in records.artifacts(job.id) if file.path == path]
            file = known[0] if known else make_artifact(job, kind=ArtifactKind.CHECKPOINT, path=path)
            records.add_artifacts([file])
            told = partial(promotion_event, job, actor=Actor.USER)
            return store.promote(job, file, name=name, step=step, at=NOW, tell=told)

        return run

    def test_a_checkpoint_is_the_next_version_beside_the_jobs_own(self, store, jobs, records, register, promote):
        adapter = register("cat")
        version, is_new = promote(adapter, 500)

        assert (version.name, version.version, version.step, is_new) == ("cat", 2, 500, True)
        assert [(each.version, each.step) for each in store.versions(USER, "cat")] == [(2, 500), (1, None)]
        file = records.artifact(version.artifact_id)
        assert (file.kind, file.name) == (ArtifactKind.ADAPTER, "cat-step-500.safetensors")
        assert records.events(adapter.job_id)[-1].type == "promotion"
        assert promote(adapter, 500, "dog") == (version, False)
        assert list(store.promoted(adapter.job_id)) == [version]

    def test_a_checkpoint_of_another_name_counts_there_and_the_jobs_own_version_stays(self, store, register, promote):
        adapter = register("cat")
        version, _ = promote(adapter, 500, "kitten")

        assert (version.name, version.version) == ("kitten", 1)
        assert [each.artifact_id for each in store.versions(USER, "cat")] == [adapter.id]

    def test_a_deleted_checkpoint_may_be_registered_anew_and_gets_another_number(self, store, register, promote):
        adapter = register("cat")
        promote(adapter, 500)
        store.delete(USER, "cat", version=2, at=NOW)

        assert list(store.promoted(adapter.job_id)) == []
        assert promote(adapter, 500)[0].version == 3

    def test_a_job_that_is_launched_again_keeps_its_own_version(self, store, jobs, register, promote):
        adapter = register("cat")
        promote(adapter, 500)

        assert store.reserve(jobs.get(adapter.job_id), "cat", at=NOW).version == 1

    def test_a_deleted_job_takes_its_promoted_checkpoints_with_it(self, store, jobs, register, promote):
        adapter = register("cat")
        promote(adapter, 500)
        job = jobs.get(adapter.job_id)
        jobs.delete(jobs.save(job.ended(EndReason.TRAINER_FAILED, at=NOW)), at=NOW)

        assert list(store.versions(USER, "cat")) == []

    def test_a_job_that_changed_meanwhile_or_has_not_ended_is_not_deleted(self, store, jobs, register):
        job = jobs.get(register("cat").job_id)
        ended = job.ended(EndReason.TRAINER_FAILED, at=NOW)
        with pytest.raises(StaleJob):
            jobs.delete(job, at=NOW)
        jobs.save(ended)
        with pytest.raises(StaleJob):
            jobs.delete(ended, at=NOW)

        assert len(store.versions(USER, "cat")) == 1
