"""A download's life: how far it is, when it is tried again, when it is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.download import MAX_FAILURES, Download, DownloadStatus, waiting_reason
from tests.factories import NOW

MODEL = "org/model"
BEGUN = Download.requested(MODEL, at=NOW)


def _failed(download: Download, *, is_transient: bool = True, brought_bytes: bool = False) -> Download:
    return download.failed("Away.", at=NOW, is_transient=is_transient, brought_bytes=brought_bytes)


@pytest.mark.parametrize(("present", "total", "percent"), [(0, None, 0), (0, 10, 0), (439, 1000, 43), (1000, 1000, 99)])
def test_percent_are_of_the_bytes_and_short_of_a_hundred_until_it_is_done(present, total, percent):
    download = Download(
        model_id=MODEL,
        status=DownloadStatus.DOWNLOADING,
        requested_at=NOW,
        bytes_downloaded=present,
        total_bytes=total,
    )

    assert download.percent == percent
    assert download.done(at=NOW).percent == 100


def test_another_try_comes_after_a_pause_that_doubles():
    pauses = []
    download = BEGUN
    for _ in range(MAX_FAILURES - 1):
        download = _failed(download)
        pauses.append((download.retry_at - NOW).total_seconds())

    assert pauses == [5, 10, 20, 40, 80, 160, 300]
    assert not download.is_due(NOW)
    assert download.is_due(NOW + timedelta(seconds=300))


def test_a_hub_that_stays_away_is_given_up():
    download = BEGUN
    for _ in range(MAX_FAILURES):
        download = _failed(download)

    assert (download.status, download.message, download.retry_at) == (DownloadStatus.ERROR, "Away.", None)
    assert not download.is_due(NOW + timedelta(days=1))


def test_a_line_that_breaks_again_and_again_but_brings_bytes_is_never_given_up():
    download = BEGUN
    for _ in range(3 * MAX_FAILURES):
        download = _failed(download, brought_bytes=True)

    assert download.status is DownloadStatus.DOWNLOADING


def test_what_no_other_try_can_mend_ends_it_at_once():
    assert _failed(BEGUN, is_transient=False).status is DownloadStatus.ERROR


def test_who_waits_is_told_how_far_it_is_and_why_it_stopped():
    half = Download(
        model_id=MODEL,
        status=DownloadStatus.DOWNLOADING,
        requested_at=NOW,
        bytes_downloaded=43,
        total_bytes=100,
    )

    assert waiting_reason(MODEL, None) == "waits for the model org/model: 0 %"
    assert waiting_reason(MODEL, half) == "waits for the model org/model: 43 %"
    assert waiting_reason(MODEL, _failed(half, is_transient=False)) == (
        "the model org/model could not be fetched: Away."
    )
    assert waiting_reason(MODEL, _failed(half)) == (
        "waits for the model org/model: 43 %, tried again at 00:00:05 UTC after: Away."
    )
