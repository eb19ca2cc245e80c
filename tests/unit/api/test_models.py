"""Base models as a client meets them: the catalogue, having one fetched, and following that to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from api.download_stream import download_events
from orchestrator.domain.download import Download, DownloadStatus
from orchestrator.stop_flag import StopFlag
from tests.unit.api.installation import HUB_MODEL, MISSING_MODEL, Installation

START, PROGRESS, CATALOGUE = "/api/models/download/start", "/api/models/download/progress", "/api/catalog/models"
ASSET_KEYS = {"id", "name", "kind", "size", "size_bytes", "status", "source", "downloadedAt"}


def _row(lorry: Installation, model_id: str) -> dict[str, Any]:
    rows = lorry.client.get(CATALOGUE, headers=lorry.as_user()).json()["data"]
    found: dict[str, Any] = next(row for row in rows if row["id"] == model_id)
    return found


def _start(lorry: Installation, model_id: str = HUB_MODEL.id) -> Any:
    return lorry.client.post(START, json={"modelId": model_id}, headers=lorry.as_user())


def _follow(lorry: Installation, model_id: str) -> list[dict[str, Any]]:
    """Every event, after the stream has closed."""
    answer = lorry.client.get(PROGRESS, params={"modelId": model_id}, headers=lorry.as_user())
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines]


def _change(lorry: Installation, **changes: Any) -> None:
    download = lorry.downloads.get(HUB_MODEL.id)
    assert download is not None
    lorry.downloads.save(replace(download, **changes))


def test_a_model_from_a_hub_says_what_it_takes_before_it_is_here(lorry: Installation) -> None:
    row = _row(lorry, HUB_MODEL.id)

    assert set(row) > ASSET_KEYS
    assert (row["status"], row["ready"], row["fetchable"]) == ("error", False, True)
    assert (row["source"], row["size"], row["memory"]) == ("HuggingFace", "4.0 GiB", "2.0 GiB")
    assert (row["downloadedAt"], row["progress"], row["message"]) == (None, None, None)


def test_a_download_is_begun_once_however_often_it_is_asked_for(lorry: Installation) -> None:
    first, second = _start(lorry), _start(lorry)

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["data"] == {
        "modelId": HUB_MODEL.id,
        "status": "downloading",
        "progress": 0,
        "bytesDownloaded": 0,
        "totalBytes": None,
        "message": None,
    }


def test_the_catalogue_shows_how_far_it_is(lorry: Installation) -> None:
    _start(lorry)
    _change(lorry, bytes_downloaded=43, total_bytes=100)
    row = _row(lorry, HUB_MODEL.id)

    assert (row["status"], row["progress"], row["ready"]) == ("downloading", 43, False)


def test_a_model_outside_the_catalogue_is_never_fetched(lorry: Installation) -> None:
    answers = [
        _start(lorry, "HooshvareLab/bert-fa-base-uncased"),
        lorry.client.get(PROGRESS, params={"modelId": "a/b"}, headers=lorry.as_user()),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["error"] for answer in answers} == {"MODEL_NOT_ALLOWED"}
    assert answers[0].json()["details"][0]["field"] == "modelId"


def test_a_model_that_is_here_is_done_without_a_download(lorry: Installation) -> None:
    assert _start(lorry, "lorry/tiny-sd15").json()["data"]["status"] == "done"
    assert [event["status"] for event in _follow(lorry, "lorry/tiny-sd15")] == ["done"]


def test_a_model_that_only_an_operator_can_put_here_says_so(lorry: Installation) -> None:
    answer = _start(lorry, MISSING_MODEL.id)

    assert (answer.status_code, answer.json()["error"]) == (409, "MODEL_NOT_FETCHABLE")
    assert MISSING_MODEL.folder in answer.json()["message"]


@pytest.mark.parametrize("body", [{}, {"modelId": 7}, {"modelId": "a/b", "url": "http://x"}])
def test_a_body_that_is_none_is_refused(lorry: Installation, body: dict[str, Any]) -> None:
    assert lorry.client.post(START, json=body, headers=lorry.as_user()).status_code == 400


def test_a_failed_download_ends_the_stream_with_its_reason(lorry: Installation) -> None:
    _start(lorry)
    _change(lorry, status=DownloadStatus.ERROR, message="It is gated.")

    assert [(event["status"], event["message"]) for event in _follow(lorry, HUB_MODEL.id)] == [
        ("error", "It is gated.")
    ]
    assert _row(lorry, HUB_MODEL.id)["message"] == "It is gated."


def test_a_model_that_nobody_asked_for_closes_the_stream_at_once(lorry: Installation) -> None:
    assert [event["status"] for event in _follow(lorry, HUB_MODEL.id)] == ["error"]


def _stream(lorry: Installation, stopping: StopFlag) -> AsyncIterator[bytes]:
    return download_events(lorry.services.models, HUB_MODEL.id, stopping, look_seconds=0)


def test_a_stream_tells_each_change_once_and_ends_when_the_model_is_there(lorry: Installation) -> None:
    async def follow() -> list[bytes]:
        events = _stream(lorry, StopFlag())
        told = [await anext(events)]
        _change(lorry, bytes_downloaded=50, total_bytes=100)
        told.append(await anext(events))
        _change(lorry, status=DownloadStatus.DONE, bytes_downloaded=100)
        lorry.models.set_ready(HUB_MODEL.folder, is_ready=True)
        return told + [event async for event in events]

    _start(lorry)
    found = [json.loads(event.decode().removeprefix("data: ")) for event in asyncio.run(follow())]

    assert [(event["status"], event["progress"]) for event in found] == [
        ("downloading", 0),
        ("downloading", 50),
        ("done", 100),
    ]


def test_a_server_that_stops_closes_the_stream(lorry: Installation) -> None:
    stopping = StopFlag()

    async def follow() -> list[bytes]:
        events = _stream(lorry, stopping)
        await anext(events)
        stopping.set()
        return [event async for event in events]

    _start(lorry)

    assert asyncio.run(follow()) == []


def test_a_submission_for_a_model_that_is_not_here_waits_with_the_reason(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    job_id = lorry.submit(base_model=HUB_MODEL.id)
    _change(lorry, bytes_downloaded=43, total_bytes=100)
    job = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user()).json()["data"]

    assert (job["status"], job["queue"]["reason"]) == ("queued", f"waits for the model {HUB_MODEL.id}: 43 %")
    assert job["queue"]["eta_seconds"] is None


def test_a_submission_for_a_model_that_nobody_can_fetch_is_refused(lorry: Installation) -> None:
    answer = lorry.client.post(
        "/api/training/submit", json=lorry.body(base_model=MISSING_MODEL.id), headers=lorry.as_user()
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "MODEL_NOT_READY")


def test_a_dry_run_has_nothing_fetched(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    body = lorry.body(base_model=HUB_MODEL.id)
    answer = lorry.client.post("/api/training/submit?dry_run=true", json=body, headers=lorry.as_user())

    assert answer.json()["data"]["queue"]["reason"] == f"waits for the model {HUB_MODEL.id}: 0 %"
    assert lorry.downloads.get(HUB_MODEL.id) is None


def test_a_submission_tries_a_failed_download_anew(lorry: Installation) -> None:
    _start(lorry)
    _change(lorry, status=DownloadStatus.ERROR, message="Away.", failures=8)
    lorry.submit(base_model=HUB_MODEL.id)

    assert lorry.downloads.get(HUB_MODEL.id) == Download.requested(HUB_MODEL.id, at=lorry.clock.now())
