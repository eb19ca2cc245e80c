"""Stories of a dataset: who curates it decides what its jobs train on, and a job keeps what it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.installation import User
from tests.factories import noise_bytes

pytestmark = pytest.mark.docker

PICTURES = {f"cat-{number}.png": noise_bytes(64, 64, seed=number) for number in range(3)}
CAPTIONS = {f"cat-{number}.txt": f"cat number {number}".encode() for number in range(3)}


def curate(user: User, dataset_id: str, place: int, **changes: object) -> None:
    item = user.get(f"/datasets/{dataset_id}/items")[place]
    answer = user.http.patch(f"/datasets/{dataset_id}/items/{item['id']}", json=changes)
    assert answer.status_code == 200, answer.text


def mounted(installation, job_id: str) -> dict[str, bytes]:
    """What a running job's container sees as its dataset, by name."""
    mounts = {mount["Destination"]: mount for mount in installation.inspect(job_id)["Mounts"]}
    dataset = mounts["/workspace/datasets"]
    assert dataset["RW"] is False
    return {path.name: path.read_bytes() for path in Path(dataset["Source"]).iterdir()}


def test_an_item_that_is_left_out_never_reaches_the_container(lorry_server, user):
    dataset_id = user.upload(PICTURES | CAPTIONS)
    curate(user, dataset_id, 1, approval="rejected")

    job_id = user.start("fake:gate=1", dataset_id=dataset_id)
    user.wait(job_id, "running")

    assert set(mounted(lorry_server, job_id)) == {"00001.png", "00001.txt", "00003.png", "00003.txt"}
    lorry_server.open_gate(job_id)
    job = user.wait(job_id, "completed")
    assert (job["train_count"], job["val_count"], job["excluded_items"]) == (2, 0, {"not_approved": 1})
    assert "1 not approved" in user.records(job_id, "events")[0]["message"]


def test_a_caption_that_is_edited_while_a_job_runs_reaches_the_next_job_only(lorry_server, user):
    dataset_id = user.upload(PICTURES | CAPTIONS)
    first = user.start("fake:gate=1", dataset_id=dataset_id)
    user.wait(first, "running")
    before = mounted(lorry_server, first)

    curate(user, dataset_id, 0, caption="a dog")
    curate(user, dataset_id, 1, prohibited_uses=["training"])
    second = user.start("fake:gate=1", dataset_id=dataset_id)
    user.wait(second, "running")

    assert before["00001.txt"] == b"cat number 0\n"
    assert mounted(lorry_server, first) == before
    assert mounted(lorry_server, second)["00001.txt"] == b"a dog\n"
    assert "00002.png" not in mounted(lorry_server, second)
    assert user.job(first)["dataset_sha256"] != user.job(second)["dataset_sha256"]
    refused = user.http.delete(f"/datasets/{dataset_id}")
    assert (refused.status_code, refused.json()["error"]) == (409, "DATASET_IN_USE")
    for job_id, count in ((first, 3), (second, 2)):
        lorry_server.open_gate(job_id)
        assert user.wait(job_id, "completed")["train_count"] == count

    assert user.http.delete(f"/datasets/{dataset_id}").status_code == 200
    assert not (lorry_server.data_dir / "datasets" / dataset_id).exists()


def test_nothing_to_train_on_is_refused_before_anything_is_stored(user):
    dataset_id = user.upload({"cat.png": PICTURES["cat-0.png"]})
    curate(user, dataset_id, 0, allowed_uses=["display"])

    answer = user.submit(dataset_id=dataset_id)

    assert (answer.status_code, answer.json()["error"]) == (400, "NOTHING_TO_TRAIN_ON")
    assert user.get("/training/jobs") == []


def test_a_report_and_a_preview_are_a_quick_read_of_what_was_measured(user):
    copies = PICTURES | {"copy.png": PICTURES["cat-0.png"]}
    dataset_id = user.upload(copies)

    report = user.get(f"/datasets/{dataset_id}/report", resolution=512)

    assert {finding["problem"]: len(finding["item_ids"]) for finding in report["findings"]} == {
        "too_small": 4,
        "near_duplicate": 2,
        "no_caption": 4,
    }
    item_id = user.get(f"/datasets/{dataset_id}/items")[0]["id"]
    picture = user.http.get(f"/datasets/{dataset_id}/items/{item_id}/image")
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
