"""The testing checklist of the machine learning platform's report: a model, a run, its analysis, a reload.

Its base model, a language model, is not one that this trainer trains; a hub of our own gives another. Names, and what
people type, stay as they are sent, in Persian too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import Installation
from tests.e2e.training import CONFIG, NAME, TRIGGER_WORD, Trained
from tests.e2e.web.browser import Person, person
from tests.integration.huggingface.hub_server import MODEL, WEIGHTS, HubServer
from tests.unit.api.event_source import Event, parse

pytestmark = [pytest.mark.docker, pytest.mark.trainer]


@pytest.fixture
def platform(install: MakeInstallation, hub: HubServer, hub_catalogue: Path) -> Installation:
    """An installation whose catalogue has one model of the hub."""
    installation = install(LORRY_CATALOGUE=str(hub_catalogue), LORRY_HUB_ENDPOINT=hub.url)
    installation.serve()
    installation.wait_until_ready()
    return installation


@pytest.fixture
def analyst(browser: Browser, trained: Trained) -> Iterator[Person]:
    """Who trained, in front of a browser."""
    with person(browser, trained.installation.url) as somebody:
        somebody.sign_in(trained.user.token)
        yield somebody


def test_step_a_a_model_goes_from_downloading_to_ready_and_the_final_done_arrives(
    platform: Installation, hub: HubServer
) -> None:
    hub.cut_after[WEIGHTS] = [1024**2]
    user = platform.user("alice")
    refused = user.http.post("/models/download/start", json={"modelId": "somebody/else"})
    assert (refused.status_code, refused.json()["error"]) == (400, "MODEL_NOT_ALLOWED")
    (before,) = user.get("/catalog/models")
    assert before["status"] != "ready"

    assert user.http.post("/models/download/start", json={"modelId": MODEL}).is_success
    told = progress(user.http.stream("GET", "/models/download/progress", params={"modelId": MODEL}))

    assert {event.data["status"] for event in told[:-1]} <= {"downloading"}
    last = told[-1].data
    assert (last["modelId"], last["status"], last["progress"]) == (MODEL, "done", 100)
    assert last["bytesDownloaded"] == last["totalBytes"] > 0
    (after,) = user.get("/catalog/models")
    assert (after["status"], after["source"], bool(after["downloadedAt"])) == ("ready", "HuggingFace", True)


def progress(connection: Any) -> list[Event]:
    """What a stream told until the server closed it."""
    with connection as answer:
        assert answer.status_code == 200, answer.read()
        return list(parse(answer.iter_lines()))


def test_step_b_a_short_run_completes(trained: Trained) -> None:
    assert (trained.job["status"], trained.job["progress"]) == ("completed", 100)


def test_step_b_the_servers_log_has_no_errors(trained: Trained) -> None:
    for process in trained.installation.processes:
        lines = [json.loads(line) for line in process.output.read_text().splitlines() if line.startswith("{")]
        assert lines
        about_it = [line for line in lines if trained.job_id in str(line)]
        assert [line for line in about_it if line["level"] in ("error", "critical")] == []


def test_step_b_every_run_leaves_its_metrics_in_the_store(trained: Trained) -> None:
    steps = [metric["step"] for metric in trained.records("metrics")]
    assert steps == sorted(set(steps))
    assert steps[-1] == CONFIG["steps"]


def test_step_c_the_list_of_runs_has_the_run_with_its_final_figures(trained: Trained) -> None:
    (run,) = [run for run in trained.user.get("/analysis/training/jobs") if run["runId"] == trained.job_id]
    last = trained.records("metrics")[-1]
    assert (run["status"], run["name"], run["trainLoss"]) == ("completed", NAME, last["loss"])
    assert (run["baseModel"], run["datasets"]) == ("lorry/tiny-sd15", [trained.dataset_id])


def test_step_c_a_runs_status_has_its_history_and_its_log(trained: Trained) -> None:
    run = trained.user.get(f"/analysis/training/status/{trained.job_id}")
    assert (run["runId"], run["status"], run["progress"]) == (trained.job_id, "completed", 100)
    assert [point["step"] for point in run["history"]] == [metric["step"] for metric in trained.records("metrics")]
    assert run["logs"][-1]["message"] == "Training finished and the adapter file was verified."


def test_step_c_the_run_is_chosen_in_the_analytics_and_its_chart_shows_the_trend_of_its_loss(
    analyst: Person, trained: Trained
) -> None:
    analyst.page.get_by_role("link", name="Analytics").click()
    expect(analyst.page.get_by_text("Succeeded", exact=True)).to_be_visible()
    analyst.page.get_by_role("link", name=NAME).first.click()
    expect(analyst.page.get_by_role("heading", name=NAME)).to_be_visible()
    expect(analyst.page.get_by_role("img", name="Loss")).to_be_visible()


def test_step_d_a_reload_keeps_what_was_chosen_and_loads_it_again_without_a_complaint(
    analyst: Person, trained: Trained
) -> None:
    """That the browser's console stays empty is `person`'s own check."""
    analyst.go(f"/jobs/{trained.job_id}?tab=settings")
    for _ in range(2):
        expect(analyst.page.get_by_role("tab", name="Settings")).to_have_attribute("aria-selected", "true")
        expect(analyst.page.get_by_text(TRIGGER_WORD)).to_be_visible()
        analyst.page.reload()


@pytest.mark.parametrize("path", ["/catalog/models", "/catalog/datasets", "/training/assets", "/datasets"])
def test_all_assets_have_one_shape(trained: Trained, path: str) -> None:
    listed = trained.user.get(path)
    assert listed
    for asset in listed:
        assert asset["kind"] in ("model", "dataset", "checkpoint")
        assert asset["status"] in ("ready", "downloading", "error")
        assert asset["source"] in ("HuggingFace", "local", "training")
        assert asset.keys() >= {"id", "name", "size", "downloadedAt"}
