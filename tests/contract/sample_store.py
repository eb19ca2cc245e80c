"""What every SampleStore does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.sample_store import SampleStore
from tests.contract.job_store import add
from tests.factories import NOW, make_artifact


class SampleStoreContract:
    @pytest.fixture
    def store(self) -> SampleStore:
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
    def samples(self, jobs, records):
        """Three, the youngest first, and a file that is none."""
        job = add(jobs)
        ages = [NOW - timedelta(hours=hours) for hours in range(3)]
        drawn = [
            make_artifact(job, kind=ArtifactKind.SAMPLE, path=f"samples/{place}.png", created_at=at)
            for place, at in enumerate(ages)
        ]
        records.add_artifacts([*drawn, make_artifact(job)])
        return drawn

    def test_samples_that_nobody_looked_at_come_oldest_first(self, store, samples):
        assert list(store.unseen(2)) == [samples[2], samples[1]]

    def test_what_was_found_of_a_sample_is_kept_with_it(self, store, samples, records):
        store.note({samples[0].id: True, samples[1].id: False, "gone": True})
        store.note({})

        assert list(store.unseen(9)) == [samples[2]]
        assert [records.artifact(sample.id).is_showable for sample in samples] == [True, False, None]

    def test_a_sample_that_is_found_again_keeps_what_was_found(self, store, samples, records):
        store.note({sample.id: True for sample in samples})
        records.add_artifacts(samples)

        assert list(store.unseen(9)) == []
