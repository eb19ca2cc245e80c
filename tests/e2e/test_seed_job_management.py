"""The testing checklist of training job management: its API under `/api/v1`, its screens, and both together.

Its "sheet" is our dataset and its "training sheet" the version of it that a job trains on. Its page polled; ours may as
well follow a stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from safetensors.numpy import load

from tests.e2e.installation import Installation, User
from tests.e2e.training import CONFIG, NAME, TRIGGER_WORD, Trained, photographs
from tests.e2e.web.browser import Person, person
from tests.factories import sha256_of

pytestmark = [pytest.mark.docker, pytest.mark.trainer]


# Backend


def test_create_a_training_job_via_the_api(user: User) -> None:
    body = {"dataset_id": user.upload(), "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}}
    answer = user.http.post("/v1/training/jobs", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["status"] in ("queued", "pending", "running", "completed")


def test_list_jobs_with_filtering(trained: Trained) -> None:
    listed = trained.user.get("/v1/training/jobs", status="completed", dataset_id=trained.dataset_id)
    assert trained.job_id in [job["id"] for job in listed]
    assert trained.user.get("/v1/training/jobs", status="failed", dataset_id=trained.dataset_id) == []


def test_poll_job_status(lorry_server: Installation, user: User) -> None:
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")
    polled = user.http.post(f"/v1/training/jobs/{job_id}/poll")
    assert (polled.status_code, polled.json()["data"]["status"]) == (200, "running"), polled.text
    assert job_id in [job["id"] for job in user.get("/v1/training/active")]
    lorry_server.open_gate(job_id)
    user.wait(job_id, "completed")
    assert user.get("/v1/training/active") == []


def test_cancel_a_running_job(user: User) -> None:
    job_id = user.start("fake:hang=1")
    user.wait(job_id, "running")
    answer = user.http.post(f"/v1/training/jobs/{job_id}/cancel", json={"reason": "wrong pictures"})
    assert answer.status_code == 200, answer.text
    assert user.wait(job_id, "cancelled")["end_reason"] == "cancel_requested"


def test_view_metrics_after_completion(trained: Trained) -> None:
    metrics = trained.user.get(f"/v1/training/jobs/{trained.job_id}/metrics")
    assert metrics[-1]["step"] == CONFIG["steps"]
    assert all(metric["loss"] > 0 for metric in metrics)


def test_check_event_history(trained: Trained) -> None:
    events = trained.user.get(f"/v1/training/jobs/{trained.job_id}/events")
    assert (events[0]["new_status"], events[-1]["new_status"]) == ("queued", "completed")
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})


def test_verify_lineage_tracking(trained: Trained) -> None:
    lineage = trained.user.get(f"/v1/training/jobs/{trained.job_id}/lineage")
    assert lineage["dataset"]["id"] == trained.dataset_id
    assert lineage["caption_template"] == f"{TRIGGER_WORD}, {{caption}}"
    assert lineage["base_model"]["id"] == "lorry/tiny-sd15"
    assert lineage["image_digest"] == trained.container["Image"]
    assert lineage["config"].items() >= CONFIG.items()


# Frontend


@pytest.fixture(scope="module")
def beginner(lorry_server: Installation) -> User:
    """Who uses the screens with jobs that take no time."""
    user = lorry_server.user("beginner")
    user.upload()
    return user


@pytest.fixture(scope="module")
def screen(browser: Browser, lorry_server: Installation, beginner: User) -> Iterator[Person]:
    with person(browser, lorry_server.url) as somebody:
        somebody.sign_in(beginner.token)
        yield somebody


@pytest.fixture(scope="module")
def trained_screen(browser: Browser, trained: Trained) -> Iterator[Person]:
    """In front of the job that the real trainer ran."""
    with person(browser, trained.installation.url) as somebody:
        somebody.sign_in(trained.user.token)
        yield somebody


def test_create_a_job_with_the_form(screen: Person, beginner: User) -> None:
    screen.go("/jobs/new")
    screen.page.get_by_role("radio", name="pictures").first.click()
    screen.page.get_by_role("radio", name="lorry/tiny-sd15").click()
    screen.page.get_by_label("Name").fill("from the form")
    screen.page.get_by_label(re.compile("no trigger words")).check()
    screen.page.get_by_role("button", name="Submit the job").click()
    expect(screen.page.get_by_role("heading", name="from the form")).to_be_visible()
    (job,) = beginner.get("/training/jobs", q="from the form")
    beginner.wait(job["id"], "completed")


def test_see_the_job_in_the_list(screen: Person, beginner: User) -> None:
    job_id = beginner.start(name="in the list")
    screen.go("/jobs")
    expect(screen.row(job_id).locator("[data-status='completed']")).to_be_visible()
    expect(screen.row(job_id)).to_contain_text("in the list")


def test_watch_the_progress_update_by_itself(screen: Person, beginner: User, lorry_server: Installation) -> None:
    job_id = beginner.start("fake:gate=1")
    screen.go(f"/jobs/{job_id}")
    expect(screen.page.locator("[data-status='running']")).to_be_visible()
    lorry_server.open_gate(job_id)
    expect(screen.page.locator("[data-status='completed']")).to_be_visible()


def test_cancel_a_running_job_on_its_page(screen: Person, beginner: User) -> None:
    job_id = beginner.start("fake:hang=1")
    screen.go(f"/jobs/{job_id}")
    screen.page.get_by_role("button", name="Cancel the job").click()
    screen.page.get_by_label("Reason").fill("wrong pictures")
    screen.page.get_by_role("button", name="Save and stop").click()
    expect(screen.page.locator("[data-status='cancelled']")).to_be_visible()


def test_view_the_jobs_details(trained_screen: Person, trained: Trained) -> None:
    trained_screen.go(f"/jobs/{trained.job_id}?tab=settings")
    expect(trained_screen.page.get_by_role("heading", name=NAME)).to_be_visible()
    expect(trained_screen.page.get_by_role("row", name=re.compile("lora_rank"))).to_contain_text("8")


def test_see_its_metrics_when_it_is_complete(trained_screen: Person, trained: Trained) -> None:
    trained_screen.go(f"/jobs/{trained.job_id}")
    expect(trained_screen.page.get_by_role("img", name="Loss")).to_be_visible()


def test_view_the_event_timeline(trained_screen: Person, trained: Trained) -> None:
    trained_screen.go(f"/jobs/{trained.job_id}?tab=history")
    for event in trained.records("events"):
        if event["type"] == "status":
            expect(trained_screen.page.get_by_text(event["message"])).to_be_visible()


def test_check_the_lineage_display(trained_screen: Person, trained: Trained) -> None:
    trained_screen.go(f"/jobs/{trained.job_id}?tab=lineage")
    lineage = trained.look("/lineage")
    for digest in (lineage["dataset"]["sha256"], lineage["adapter"]["sha256"], lineage["image_digest"]):
        expect(trained_screen.page.get_by_title(digest).first).to_be_visible()
    expect(trained_screen.page.get_by_text(lineage["caption_template"])).to_be_visible()


# Integration


def test_end_to_end_from_the_dataset_to_the_model(trained: Trained) -> None:
    (version,) = [
        version for version in trained.user.get(f"/models/registered/{NAME}") if version["job_id"] == trained.job_id
    ]
    adapter = trained.user.http.get(version["download_url"].removeprefix("/api")).content
    assert sha256_of(adapter) == version["sha256"]
    assert load(adapter)


def test_governance_filters_apply(trained: Trained) -> None:
    """Expert approval and permitted use: one of nine pictures was rejected, one may not be trained on."""
    assert trained.job["excluded_items"] == {"not_approved": 1, "prohibited": 1}
    assert (trained.job["train_count"], trained.job["val_count"]) == (6, 1)
    left_out = {item["id"] for item in trained.user.get(f"/datasets/{trained.dataset_id}/items") if item["excluded"]}
    exported = {item["id"] for item in trained.look("/lineage")["dataset"]["items"]}
    assert len(left_out) == 2
    assert not exported & left_out


def test_lineage_traces_correctly_back_to_the_pictures(trained: Trained) -> None:
    sent = {sha256_of(content) for name, content in photographs().items() if name.endswith(".jpg")}
    lineage = trained.look("/lineage")
    traced = {item["sha256"] for item in lineage["dataset"]["items"]}
    assert len(traced) == 7
    assert traced < sent
    adapters = {file["sha256"] for file in trained.records("artifacts") if file["kind"] == "adapter"}
    assert lineage["adapter"]["sha256"] in adapters


def test_metrics_are_the_ones_the_trainer_wrote(trained: Trained) -> None:
    (file,) = [file for file in trained.records("artifacts") if file["name"] == "events.jsonl"]
    lines = trained.user.http.get(f"/artifacts/{file['id']}/download").text.splitlines()
    written = [event for event in map(json.loads, lines) if event["type"] == "metrics"]
    shown = trained.records("metrics")
    assert [(metric["step"], metric["loss"]) for metric in shown] == [
        (event["step"], pytest.approx(event["loss"])) for event in written
    ]


def test_error_scenarios_end_with_a_sentence(training_server: Installation) -> None:
    user = training_server.user("unlucky")
    dataset_id = user.upload(photographs())
    spoilt = min((training_server.data_dir / "datasets" / dataset_id).glob("*.jpg"))
    spoilt.write_bytes(b"no picture any more")
    job: dict[str, Any] = user.wait(user.start(dataset_id=dataset_id, config=CONFIG), "failed", within_seconds=120)
    assert (job["end_reason"], job["exit_code"]) == ("dataset_unusable", 11)
    assert "1 of 9 items are unusable" in job["error_message"]
    assert spoilt.name in job["error_message"]
    assert [file for file in user.records(job["id"], "artifacts") if file["kind"] == "adapter"] == []
