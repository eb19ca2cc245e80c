"""Datasets go in and are shown; models are shown."""

from __future__ import annotations

from typing import Any

import pytest

from api.schemas.assets import readable_size
from tests.factories import picture_bytes, zip_bytes
from tests.unit.api.installation import Install, Installation

UPLOAD = "/api/datasets/upload"
PICTURE = ("cat.png", picture_bytes(), "image/png")
ASSET_KEYS = {"id", "name", "kind", "size", "size_bytes", "status", "source", "downloadedAt"}


def upload(lorry: Installation, *files: Any, **form: Any) -> Any:
    return lorry.client.post(UPLOAD, files=[("files", file) for file in files], data=form, headers=lorry.as_user())


def test_pictures_with_captions_become_a_dataset(lorry: Installation) -> None:
    answer = upload(lorry, PICTURE, ("cat.txt", "یک گربه".encode(), "text/plain"), name="گربه‌ی من")
    assert answer.status_code == 201, answer.text
    dataset = answer.json()["data"]
    assert (dataset["name"], dataset["item_count"], dataset["captioned_count"]) == ("گربه‌ی من", 1, 1)
    assert set(dataset) > ASSET_KEYS
    assert (dataset["kind"], dataset["status"], dataset["source"]) == ("dataset", "ready", "local")
    (item,) = lorry.client.get(f"/api/datasets/{dataset['id']}/items", headers=lorry.as_user()).json()["data"]
    assert (item["original_name"], item["caption"], item["width"]) == ("cat.png", "یک گربه", 16)
    assert lorry.client.get(f"/api/datasets/{dataset['id']}", headers=lorry.as_user()).json()["data"] == dataset
    assert lorry.client.get("/api/datasets", headers=lorry.as_user()).json()["data"] == [dataset]


def test_a_zip_becomes_a_dataset_too(lorry: Installation) -> None:
    packed = zip_bytes({"a/cat.png": PICTURE[1], "a/cat.txt": b"a cat"})
    answer = upload(lorry, ("cats.zip", packed, "application/zip"))
    assert answer.status_code == 201
    assert (answer.json()["data"]["name"], answer.json()["data"]["item_count"]) == ("dataset", 1)


def test_a_file_that_is_no_picture_is_named(lorry: Installation) -> None:
    answer = upload(lorry, PICTURE, ("evil.png", b"<svg onload=alert(1)>", "image/png"))
    assert answer.status_code == 400
    assert any("evil.png" in str(detail) for detail in answer.json()["details"])
    assert lorry.client.get("/api/datasets", headers=lorry.as_user()).json()["total"] == 0


@pytest.mark.parametrize(
    ("form", "field"), [({"name": "x" * 201}, "name"), ({"name": "nul\x00"}, "name"), ({"tags": "a"}, "tags")]
)
def test_a_form_with_something_else_is_refused(lorry: Installation, form: dict[str, str], field: str) -> None:
    answer = upload(lorry, PICTURE, **form)
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field)


def test_a_form_without_files_is_refused(lorry: Installation) -> None:
    for request in ({"data": {"name": "x"}}, {"json": {}}, {"data": {"files": "text"}}):
        answer = lorry.client.post(UPLOAD, headers=lorry.as_user(), **request)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "files")


def test_a_torn_form_is_refused(lorry: Installation) -> None:
    headers = lorry.as_user() | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = lorry.client.post(UPLOAD, content=b"--b\r\nrubbish", headers=headers)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_an_upload_beyond_its_limit_is_a_413_and_others_have_their_own(install: Install) -> None:
    lorry = install(max_upload_bytes=0, max_body_bytes=100)
    answer = upload(lorry, ("big.png", b"x" * (9 * 1024**2), "image/png"))
    assert (answer.status_code, answer.json()["error"]) == (413, "TOO_LARGE")
    assert upload(lorry, PICTURE).status_code == 201


def test_an_upload_without_a_token_is_refused_before_its_form_is_read(lorry: Installation) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert lorry.client.post(UPLOAD, content=b"--b", headers=headers).status_code == 401


def test_the_catalogue_is_shown_in_the_shape_of_assets(lorry: Installation) -> None:
    model, *_ = lorry.client.get("/api/catalog/models", headers=lorry.as_user()).json()["data"]
    assert set(model) > ASSET_KEYS
    assert (model["id"], model["kind"], model["status"], model["source"]) == (
        "lorry/tiny-sd15",
        "model",
        "ready",
        "local",
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024**2, "5.0 MiB"), (3 * 1024**5, "3072.0 TiB")],
)
def test_a_size_reads_well(size: int, text: str) -> None:
    assert readable_size(size) == text
