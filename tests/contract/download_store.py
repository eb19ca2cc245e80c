"""What every DownloadStore does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.download import Download, DownloadStatus
from orchestrator.ports.download_store import DownloadStore
from tests.factories import NOW

LATER = NOW + timedelta(hours=1)
MODEL = "org/model"


class DownloadStoreContract:
    @pytest.fixture
    def store(self) -> DownloadStore:
        raise NotImplementedError

    @pytest.fixture
    def queue_job(self) -> Callable[[str], None]:
        """`queue_job(base_model)`: a job waits in the queue."""
        raise NotImplementedError

    def test_what_was_never_asked_for_is_unknown(self, store):
        assert store.get(MODEL) is None
        assert not store.list()

    def test_whoever_asks_first_begins_it_and_others_find_it(self, store):
        first = store.request(MODEL, at=NOW)

        assert first == Download.requested(MODEL, at=NOW)
        assert store.request(MODEL, at=LATER) == first
        assert store.get(MODEL) == first

    def test_every_fact_of_a_download_is_kept(self, store):
        store.request(MODEL, at=NOW)
        whole = Download(
            model_id=MODEL,
            status=DownloadStatus.ERROR,
            requested_at=NOW,
            revision="a" * 40,
            bytes_downloaded=40_000_000_000,
            total_bytes=50_000_000_000,
            message="Es gab Ärger.",
            failures=3,
            retry_at=LATER,
            ended_at=LATER,
        )
        store.save(whole)

        assert store.get(MODEL) == whole

    @pytest.mark.parametrize("status", [DownloadStatus.DONE, DownloadStatus.ERROR])
    def test_one_that_ended_is_begun_anew_with_nothing_of_the_last(self, store, status):
        ended = replace(store.request(MODEL, at=NOW), status=status, failures=3, message="Away.", bytes_downloaded=7)
        store.save(ended)

        assert store.request(MODEL, at=LATER) == Download.requested(MODEL, at=LATER)

    def test_downloads_are_listed_by_their_models(self, store):
        for model in ("org/b", "org/a"):
            store.request(model, at=NOW)

        assert [download.model_id for download in store.list()] == ["org/a", "org/b"]

    def test_one_that_is_forgotten_does_not_come_back_with_its_progress(self, store):
        download = store.request(MODEL, at=NOW)
        for _ in range(2):
            store.forget(MODEL)
        store.save(download.advanced(5))

        assert store.get(MODEL) is None

    def test_models_of_queued_jobs_are_wanted(self, store, queue_job):
        assert store.wanted_models() == frozenset()
        for model in (MODEL, MODEL, "org/other"):
            queue_job(model)

        assert store.wanted_models() == {MODEL, "org/other"}
