"""Curating a dataset over HTTP, and what jobs make of it."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from api.upload import UPLOAD_THREADS
from tests.factories import picture_bytes, turned_exif
from tests.unit.api.installation import BOB, MIN_FREE_BYTES, Installation
from tests.waiting import eventually

SUBMIT = "/api/training/submit"


@pytest.fixture
def dataset_id(lorry: Installation) -> str:
    """Three captioned pictures."""
    files = [("files", (f"{name}.png", picture_bytes(64 + place, 64), "image/png")) for place, name in enumerate("abc")]
    captions = [("files", (f"{name}.txt", f"cat {name}".encode(), "text/plain")) for name in "abc"]
    answer = lorry.client.post("/api/datasets/upload", files=files + captions, headers=lorry.as_user())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])


def ask(lorry: Installation, method: str, path: str, **options: Any) -> Any:
    return lorry.client.request(method, path, headers=options.pop("headers", lorry.as_user()), **options)


def items(lorry: Installation, dataset_id: str, **query: Any) -> Any:
    return ask(lorry, "GET", f"/api/datasets/{dataset_id}/items", params=query).json()


def test_uploads_that_take_long_do_not_keep_anybody_from_looking(lorry: Installation) -> None:
    released, more_than_all_threads, headers = threading.Event(), 45, lorry.as_user()
    upload = lorry.services.datasets.upload

    def hold_up(*sent: Any, **how: Any) -> Any:
        released.wait(60)
        return upload(*sent, **how)

    lorry.services.datasets.upload = hold_up  # type: ignore[method-assign]
    files = [("files", (f"{name}.png", picture_bytes(64, 64 + place), "image/png")) for place, name in enumerate("ab")]
    with lorry.client as client, ThreadPoolExecutor(more_than_all_threads + 1) as pool:
        try:
            uploading = [
                pool.submit(client.post, "/api/datasets/upload", files=files, headers=headers)
                for _ in range(more_than_all_threads)
            ]
            waiting = lorry.app.state.upload_threads.statistics
            eventually(lambda: waiting().tasks_waiting == more_than_all_threads - UPLOAD_THREADS)
            assert pool.submit(client.get, "/api/datasets", headers=headers).result(timeout=30).status_code == 200
        finally:
            released.set()
        assert {answer.result().status_code for answer in uploading} == {201}


def curate(lorry: Installation, dataset_id: str, place: int, **changes: Any) -> Any:
    item_id = items(lorry, dataset_id)["data"][place]["id"]
    return ask(lorry, "PATCH", f"/api/datasets/{dataset_id}/items/{item_id}", json=changes)


def test_items_come_page_by_page(lorry: Installation, dataset_id: str) -> None:
    second = items(lorry, dataset_id, page=2, page_size=2)

    assert [item["original_name"] for item in second["data"]] == ["c.png"]
    assert (second["total"], second["page"], second["page_size"]) == (3, 2, 2)
    assert ask(lorry, "GET", f"/api/datasets/{dataset_id}/items", params={"page_size": 201}).status_code == 400


def test_an_uploaded_item_is_approved_and_allowed_for_training(lorry: Installation, dataset_id: str) -> None:
    item = items(lorry, dataset_id)["data"][0]

    assert (item["approval"], item["allowed_uses"], item["prohibited_uses"]) == ("labeled", ["training"], [])
    assert (item["excluded"], item["sharpness"]) == (None, 0.0)


def test_an_item_changes_in_what_was_sent_and_the_dataset_with_it(lorry: Installation, dataset_id: str) -> None:
    before = ask(lorry, "GET", f"/api/datasets/{dataset_id}").json()["data"]

    answer = curate(lorry, dataset_id, 0, caption=" a\n cat\t ", prohibited_uses=["training", "training"])

    assert answer.status_code == 200, answer.text
    item = answer.json()["data"]
    assert (item["caption"], item["prohibited_uses"], item["approval"]) == ("a cat", ["training"], "labeled")
    assert item["excluded"] == "prohibited"
    assert items(lorry, dataset_id)["data"][0] == item
    after = ask(lorry, "GET", f"/api/datasets/{dataset_id}").json()["data"]
    assert after["sha256"] != before["sha256"]
    assert after["captioned_count"] == 3


def test_null_takes_the_caption_away_and_leaves_the_rest(lorry: Installation, dataset_id: str) -> None:
    item = curate(lorry, dataset_id, 1, caption=None, approval=None, allowed_uses=None).json()["data"]

    assert (item["caption"], item["approval"], item["allowed_uses"]) == (None, "labeled", ["training"])
    assert ask(lorry, "GET", f"/api/datasets/{dataset_id}").json()["data"]["captioned_count"] == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"caption": "x" * 4_001}, "caption"),
        ({"caption": 5}, "caption"),
        ({"approval": "maybe"}, "approval"),
        ({"allowed_uses": ["Training!"]}, "allowed_uses"),
        ({"prohibited_uses": ["x"] * 17}, "prohibited_uses"),
        ({"sha256": "0"}, "sha256"),
    ],
)
def test_a_wrong_change_is_refused_by_field(
    lorry: Installation, dataset_id: str, changes: dict[str, Any], field: str
) -> None:
    answer = curate(lorry, dataset_id, 0, **changes)

    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"].startswith(field)


@pytest.mark.parametrize("item_id", ["5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11", "x"])
def test_an_unknown_item_is_a_404(lorry: Installation, dataset_id: str, item_id: str) -> None:
    for method, path in (("PATCH", item_id), ("GET", f"{item_id}/image")):
        answer = ask(lorry, method, f"/api/datasets/{dataset_id}/items/{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "ITEM_NOT_FOUND")


def test_an_item_is_looked_at_as_a_jpeg_of_ours(lorry: Installation, dataset_id: str) -> None:
    item_id = items(lorry, dataset_id)["data"][0]["id"]

    answer = ask(lorry, "GET", f"/api/datasets/{dataset_id}/items/{item_id}/image")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer.headers["Cache-Control"]
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)


def test_a_report_names_what_is_wrong(lorry: Installation, dataset_id: str) -> None:
    curate(lorry, dataset_id, 2, approval="pending")

    report = ask(lorry, "GET", f"/api/datasets/{dataset_id}/report", params={"resolution": 256}).json()["data"]

    assert (report["item_count"], report["trainable_count"]) == (3, 2)
    assert report["excluded_items"] == {"not_approved": 1}
    assert {finding["problem"] for finding in report["findings"]} == {"too_small", "blurred", "near_duplicate"}
    assert report["buckets"] == [{"width": 256, "height": 256, "count": 2}]
    assert report["advice"][0].keys() == {"advice", "reason"}


def test_the_items_of_a_problem_are_listed_alone(lorry: Installation, dataset_id: str) -> None:
    path = f"/api/datasets/{dataset_id}"
    findings = ask(lorry, "GET", f"{path}/report", params={"resolution": 256}).json()["data"]["findings"]
    (alike,) = (finding for finding in findings if finding["problem"] == "near_duplicate")

    found = ask(lorry, "GET", f"{path}/items", params={"problem": "near_duplicate", "resolution": 256, "page_size": 2})

    assert found.json()["total"] == len(alike["item_ids"])
    assert [item["id"] for item in found.json()["data"]] == alike["item_ids"][:2]


@pytest.mark.parametrize("resolution", [0, 255, 500, 1088])
def test_a_report_is_about_a_resolution_that_jobs_train_at(
    lorry: Installation, dataset_id: str, resolution: int
) -> None:
    answer = ask(lorry, "GET", f"/api/datasets/{dataset_id}/report", params={"resolution": resolution})

    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "resolution")


def test_a_job_says_what_it_left_out(lorry: Installation, dataset_id: str) -> None:
    curate(lorry, dataset_id, 0, approval="rejected")
    curate(lorry, dataset_id, 1, allowed_uses=["display"])
    excluded = {"not_approved": 1, "not_allowed": 1}

    plan = ask(lorry, "POST", f"{SUBMIT}?dry_run=true", json=lorry.body(dataset_id=dataset_id)).json()["data"]
    job = ask(lorry, "GET", f"/api/training/jobs/{lorry.submit(dataset_id=dataset_id)}").json()["data"]

    assert (plan["item_count"], plan["train_count"], plan["val_count"]) == (3, 1, 0)
    assert (job["train_count"], job["val_count"]) == (1, 0)
    assert plan["excluded_items"] == job["excluded_items"] == excluded
    assert len(job["dataset_sha256"]) == 64


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_dataset_with_nothing_to_train_on_is_a_400_with_the_counts(
    lorry: Installation, dataset_id: str, query: str
) -> None:
    for place in range(3):
        curate(lorry, dataset_id, place, prohibited_uses=["training"])

    answer = ask(lorry, "POST", SUBMIT + query, json=lorry.body(dataset_id=dataset_id))

    assert (answer.status_code, answer.json()["error"]) == (400, "NOTHING_TO_TRAIN_ON")
    assert "3 prohibited for training" in answer.json()["message"]
    assert {"field": "excluded_items.prohibited", "message": "3 items", "value": 3} in answer.json()["details"]


def test_a_deleted_dataset_is_shown_once_more_and_gone(lorry: Installation, dataset_id: str) -> None:
    shown = ask(lorry, "GET", f"/api/datasets/{dataset_id}").json()

    assert ask(lorry, "DELETE", f"/api/datasets/{dataset_id}").json() == shown

    assert ask(lorry, "GET", f"/api/datasets/{dataset_id}").status_code == 404
    assert ask(lorry, "DELETE", f"/api/datasets/{dataset_id}").status_code == 404
    assert lorry.files.files == {}


def test_a_dataset_in_use_is_a_409(lorry: Installation, dataset_id: str) -> None:
    job_id = lorry.submit(dataset_id=dataset_id)

    answer = ask(lorry, "DELETE", f"/api/datasets/{dataset_id}")

    assert (answer.status_code, answer.json()["error"]) == (409, "DATASET_IN_USE")
    assert job_id in answer.json()["message"]


def test_an_admin_may_look_but_not_change(lorry: Installation, dataset_id: str) -> None:
    admin = lorry.as_admin()

    assert ask(lorry, "GET", f"/api/datasets/{dataset_id}/report", headers=admin).status_code == 200
    assert ask(lorry, "DELETE", f"/api/datasets/{dataset_id}", headers=admin).status_code == 403
    assert ask(lorry, "DELETE", f"/api/datasets/{dataset_id}", headers=lorry.as_user(BOB)).status_code == 403


def test_metadata_is_stripped_on_request(lorry: Installation) -> None:
    sent = picture_bytes(60, 20, file_format="JPEG", exif=turned_exif())
    for form, is_kept in (({}, True), ({"strip_exif": "true"}, False)):
        files = [("files", ("cat.jpg", sent, "image/jpeg"))]
        answer = ask(lorry, "POST", "/api/datasets/upload", files=files, data=form)
        dataset_id = answer.json()["data"]["id"]
        assert (b"Somewhere" in lorry.files.files[dataset_id]["00001.jpg"]) is is_kept
        assert items(lorry, dataset_id)["data"][0]["height"] == 60


@pytest.mark.parametrize("wish", ["perhaps", "0", ["true", "false"]])
def test_a_wish_to_strip_that_is_no_yes_or_no_is_refused(lorry: Installation, wish: str | list[str]) -> None:
    files = [("files", ("cat.png", picture_bytes(), "image/png"))]
    answer = ask(lorry, "POST", "/api/datasets/upload", files=files, data={"strip_exif": wish})

    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "strip_exif")


def test_pictures_are_added_and_what_is_there_already_is_answered_as_such(lorry: Installation, dataset_id: str) -> None:
    files = [
        ("files", ("again.png", picture_bytes(64, 64), "image/png")),
        ("files", ("new.png", picture_bytes(70, 64), "image/png")),
        ("files", ("new.txt", b"a new cat", "text/plain")),
    ]

    answer = ask(lorry, "POST", f"/api/datasets/{dataset_id}/items", files=files)

    assert answer.status_code == 200, answer.text
    added = answer.json()["data"]
    found = items(lorry, dataset_id)["data"]
    assert added["dataset"] == ask(lorry, "GET", f"/api/datasets/{dataset_id}").json()["data"]
    assert (added["dataset"]["item_count"], found[3]["caption"]) == (4, "a new cat")
    assert added["pictures"] == [
        {"name": "again.png", "item_id": found[0]["id"], "is_new": False},
        {"name": "new.png", "item_id": found[3]["id"], "is_new": True},
    ]
    assert ask(lorry, "GET", f"/api/datasets/{dataset_id}/items/{found[3]['id']}/image").status_code == 200


def test_an_addition_names_what_is_wrong_with_it_and_has_no_name(lorry: Installation, dataset_id: str) -> None:
    files = [("files", ("bad.png", b"no picture", "image/png"))]
    path = f"/api/datasets/{dataset_id}/items"

    for form, field in (({}, "bad.png"), ({"name": "dogs"}, "name")):
        answer = ask(lorry, "POST", path, files=files, data=form)
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field)
    assert items(lorry, dataset_id)["total"] == 3


def test_whose_dataset_it_is_is_settled_before_an_addition_is_read(lorry: Installation, dataset_id: str) -> None:
    headers = lorry.as_user(BOB) | {"Content-Type": "multipart/form-data; boundary=b"}

    answer = ask(lorry, "POST", f"/api/datasets/{dataset_id}/items", content=b"--b\r\nrubbish", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (403, "DATASET_FORBIDDEN")


def test_an_upload_that_comes_again_under_its_key_is_answered_with_what_it_made(lorry: Installation) -> None:
    files = [("files", ("a.png", picture_bytes(), "image/png"))]
    headers = lorry.as_user() | {"Idempotency-Key": "once"}

    first, again = (ask(lorry, "POST", "/api/datasets/upload", files=files, headers=headers) for _ in range(2))

    assert (first.status_code, again.json()["data"]) == (201, first.json()["data"])


def test_an_upload_that_would_leave_too_little_room_is_refused_before_it_is_read(lorry: Installation) -> None:
    files = [("files", ("cat.png", picture_bytes(), "image/png"))]
    lorry.upload_disk.free = MIN_FREE_BYTES + 10
    refused = ask(lorry, "POST", "/api/datasets/upload", files=files)
    assert (refused.status_code, refused.json()["error"]) == (507, "DISK_FULL")
    assert "1.0 GiB are free" in refused.json()["message"]
    assert lorry.files.files == {}

    lorry.upload_disk.free = 2 * MIN_FREE_BYTES
    assert ask(lorry, "POST", "/api/datasets/upload", files=files).status_code == 201
