"""What every Trash does, and what no other store shows meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.errors import NotFound, StaleJob
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.job_store import JobFilter, JobStore, Submission
from orchestrator.ports.model_registry import ModelRegistry
from orchestrator.ports.news_store import NewsStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.trash import Trash
from tests.contract.job_store import add, make_metric
from tests.factories import NOW, make_artifact, make_job

LATER, SOON = NOW + timedelta(hours=1), NOW + timedelta(minutes=1)
KEY = Submission("key", "body")


class TrashContract:
    @pytest.fixture
    def store(self) -> Trash:
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
    def registry(self, store) -> ModelRegistry:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def news(self, store) -> NewsStore:
        """Over the same database."""
        raise NotImplementedError

    @pytest.fixture
    def delete(self, jobs):
        """`delete(**facts)`: a job that has ended and was deleted, as it was before."""

        def run(*, at=NOW, **facts):
            ended = jobs.save(add(jobs, **facts).ended(EndReason.LAUNCH_REFUSED, at=NOW))
            jobs.delete(ended, at=at, is_restorable=True)
            return ended

        return run

    def test_a_deleted_job_is_nowhere_but_in_the_trash(self, store, jobs, news, delete):
        kept, gone = add(jobs, user_id="me"), delete(user_id="me")

        with pytest.raises(NotFound):
            jobs.get(gone.id)
        page = jobs.list(JobFilter(user_id="me"))
        assert ([job.id for job in page.jobs], page.total) == ([kept.id], 1)
        assert jobs.list(JobFilter(ids=(gone.id,))).total == 0
        assert jobs.list(JobFilter()).total == 1
        assert set(news.pulses(job_ids=[kept.id, gone.id], user_ids=[], after_event=0)) == {kept.id}
        assert store.get(gone.id) == replace(gone, deleted_at=NOW, updated_at=NOW, version=gone.version + 1)
        with pytest.raises(NotFound):
            store.get(kept.id)

    def test_it_comes_back_with_all_that_is_its_own(self, store, jobs, records, registry, delete):
        job = add(jobs, user_id="me", tags=("keep",))
        registry.reserve(job, "cat", at=NOW)
        adapter = make_artifact(job)
        records.add_artifacts([adapter])
        ended = jobs.save(job.ended(EndReason.LAUNCH_REFUSED, at=NOW), adapter=adapter, metrics=[make_metric(job, 1)])
        jobs.delete(ended, at=NOW, is_restorable=True)
        assert list(registry.versions("me", "cat")) == []

        back = store.restore(job.id, since=NOW, at=LATER)

        assert back == jobs.get(job.id) == replace(ended, updated_at=LATER, version=ended.version + 2)
        assert [version.version for version in registry.versions("me", "cat")] == [1]
        assert records.artifact(adapter.id) == adapter
        assert len(records.curve(job.id).points) == 1

    def test_a_users_are_listed_what_was_deleted_last_in_front_as_long_as_they_can_come_back(self, store, delete):
        old, first, last = (delete(user_id="me", at=at) for at in (NOW, SOON, LATER))
        delete(user_id="other", at=LATER)

        assert [job.id for job in store.list("me", since=SOON)] == [last.id, first.id]
        with pytest.raises(NotFound):
            store.restore(old.id, since=SOON, at=LATER)

    def test_what_is_due_is_removed_and_nothing_else(self, store, jobs, delete):
        oldest, old, young = (delete(at=at) for at in (NOW, NOW + timedelta(seconds=1), LATER))
        kept = add(jobs)

        assert list(store.due(before=LATER)) == [oldest.id, old.id]
        assert store.empty(before=LATER, at=LATER, limit=1) == 1
        assert list(store.due(before=LATER)) == [old.id]
        assert store.empty(before=LATER, at=LATER) == 1
        assert store.empty(before=LATER, at=LATER) == 0
        for gone in (oldest, old):
            with pytest.raises(NotFound):
                store.get(gone.id)
        assert (store.get(young.id).id, jobs.get(kept.id)) == (young.id, kept)

    def test_a_job_that_is_there_or_is_at_work_is_neither_restored_nor_deleted(self, store, jobs):
        job = add(jobs)

        with pytest.raises(NotFound):
            store.restore(job.id, since=NOW, at=LATER)
        with pytest.raises(StaleJob):
            jobs.delete(job, at=NOW, is_restorable=True)

    def test_whoever_sends_a_deleted_jobs_submission_again_gets_a_new_job(self, store, jobs):
        def send():
            job = make_job(user_id="me")
            return jobs.add(job, status_event(None, job, "Submitted."), KEY)

        first = send()
        jobs.delete(jobs.save(first.ended(EndReason.LAUNCH_REFUSED, at=NOW)), at=NOW, is_restorable=True)
        second = send()

        assert second.id != first.id
        assert send().id == second.id
        store.restore(first.id, since=NOW, at=LATER)
        assert send().id == second.id
