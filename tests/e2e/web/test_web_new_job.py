"""From the form to a trained adapter, in a browser."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import User
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "configs" / "samples" / "photographs"


def test_a_job_is_planned_submitted_watched_and_its_adapter_fetched(people: People, user: User) -> None:
    user.upload({path.name: path.read_bytes() for path in sorted(PHOTOGRAPHS.glob("coffee-*.*"))})
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="New job").click()
    page.get_by_role("radio", name="pictures").click()
    page.get_by_role("radio", name="lorry/tiny-sd15").click()
    page.get_by_role("radio", name="Draft").click()
    expect(page.get_by_label("steps", exact=True)).to_have_value("300")
    page.get_by_label("Name").fill("from the browser")
    plan = page.get_by_role("status").filter(has_text="What would happen")
    expect(plan.get_by_role("row", name=re.compile("Trained on"))).to_be_visible()
    expect(plan.get_by_role("row", name=re.compile("Disk up to .* free"))).to_be_visible()
    advised = page.locator("[data-recommended='steps']")
    advised.get_by_role("button", name="Take it").click()
    expect(advised).to_have_count(0)
    somebody.photograph("new-job")
    page.get_by_role("button", name="Submit the job").click()

    expect(page.get_by_role("heading", name="from the browser")).to_be_visible()
    expect(page.locator("[data-status='completed']")).to_be_visible()
    expect(page.get_by_role("img", name="Loss")).to_be_visible()
    somebody.photograph("job")
    page.get_by_role("tab", name="Files").click()
    somebody.photograph("job-files")
    with page.expect_download() as download:
        row = page.get_by_role("row", name=re.compile(r"^adapter\.safetensors"))
        row.get_by_role("button", name="Download").click()
    job_id = page.url.partition("/jobs/")[2].partition("?")[0]
    digests = {file["sha256"] for file in user.records(job_id, "artifacts") if file["kind"] == "adapter"}
    assert hashlib.sha256(Path(download.value.path()).read_bytes()).hexdigest() in digests
    page.get_by_role("tab", name="Samples").click()
    expect(page.get_by_role("img", name=re.compile("Sample")).first).to_be_visible()
    for tab in ("Log", "History", "Settings"):
        page.get_by_role("tab", name=tab).click()
        somebody.require_accessible()


def test_every_violation_stands_beside_its_field_before_anything_is_submitted(people: People, user: User) -> None:
    user.upload()
    somebody = people(user)
    page = somebody.page
    somebody.go("/jobs/new")
    page.get_by_role("radio", name="pictures").click()
    page.get_by_role("radio", name="lorry/tiny-sd15").click()
    page.get_by_label("steps", exact=True).fill("7")
    page.get_by_label("resolution", exact=True).fill("300")
    for name in ("steps", "resolution"):
        expect(page.get_by_label(name, exact=True)).to_have_attribute("aria-invalid", "true")
    somebody.photograph("new-job-refused")
    page.get_by_label("steps", exact=True).fill("100")
    page.get_by_label("resolution", exact=True).fill("256")
    page.get_by_role("radio", name="lorry/tiny-z-image").click()
    page.get_by_text("More settings").click()
    page.get_by_role("switch", name="text_encoder_lora").check()
    expect(page.get_by_text("text encoder of a z-image model is not trained").first).to_be_visible()
    somebody.require_accessible()
    assert user.get("/training/jobs") == []

    page.get_by_role("radio", name="lorry/tiny-sd15").click()
    expect(page.get_by_role("button", name="Submit the job")).to_be_disabled()
    page.get_by_label(re.compile("no trigger words")).check()
    page.get_by_role("button", name="Submit the job").click()
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f]{8}-"))


def test_a_running_job_is_cancelled_with_a_reason(people: People, user: User) -> None:
    job_id = user.start("fake:gate=1", name="to be stopped")
    user.wait(job_id, "running")
    somebody = people(user)
    somebody.go(f"/jobs/{job_id}")
    somebody.page.get_by_role("button", name="Cancel the job").click()
    somebody.page.get_by_label("Reason").fill("wrong pictures")
    somebody.page.get_by_role("button", name="Save and stop").click()
    expect(somebody.page.locator("[data-status='cancelled']")).to_be_visible()
    expect(somebody.page.get_by_text("Stopping")).to_have_count(0)
    somebody.page.get_by_role("tab", name="History").click()
    expect(somebody.page.get_by_text("wrong pictures")).to_be_visible()


def test_a_failure_is_a_sentence_and_may_be_tried_again(people: People, user: User) -> None:
    job_id = user.start("fake:exit=11", name="broken")
    message = user.wait(job_id, "failed")["error_message"]
    somebody = people(user)
    somebody.go(f"/jobs/{job_id}")
    banner = somebody.page.get_by_role("alert")
    expect(banner).to_contain_text(message)
    expect(banner.get_by_role("group", name="The end of the log")).to_contain_text(user.records(job_id, "logs")[-1])
    expect(banner.get_by_role("link", name="Change its settings in a new job")).to_be_visible()
    somebody.photograph("job-failed")
    somebody.page.get_by_role("button", name="Try again").click()
    user.wait(job_id, "failed")
    somebody.page.get_by_role("tab", name="History").click()
    expect(somebody.page.get_by_text(re.compile("attempt 2", re.IGNORECASE)).first).to_be_visible()


def test_the_log_is_searched_and_downloaded_as_it_is_shown(people: People, user: User) -> None:
    job_id = user.start("fake:print_lines=5", name="talkative")
    user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}?tab=log")
    expect(page.get_by_role("log")).to_be_visible()
    page.get_by_label("Search the log").fill("FAKE TRAINER: job")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these").click()
    assert Path(download.value.path()).read_text() == f"fake trainer: job {job_id}"
    page.get_by_label("Search the log").fill("no line says this")
    expect(page.get_by_role("heading", name="No line matches")).to_be_visible()
    page.get_by_label("Search the log").fill("")
    page.get_by_label("Errors only").check()
    expect(page.get_by_role("heading", name="No line matches")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert Path(download.value.path()).read_text().splitlines() == user.records(job_id, "logs")


def test_a_log_follows_its_end_until_it_is_scrolled_and_says_what_came_since(people: People, user: User) -> None:
    job_id = user.start("fake:print_lines=300", "fake:exit=11", name="long")
    user.wait(job_id, "failed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}?tab=log")
    log = page.get_by_role("log")
    expect(log.get_by_text("line 299", exact=True)).to_be_visible()
    page.get_by_role("button", name="To the start").click()
    expect(log.get_by_text(f"fake trainer: job {job_id}")).to_be_visible()

    page.get_by_role("button", name="Try again").click()
    user.wait(job_id, "failed")
    expect(log.get_by_text(f"fake trainer: job {job_id}")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^30\d new lines$")).click()
    expect(log.get_by_text("line 299", exact=True)).to_be_visible()
    page.get_by_label("Attempt", exact=True).select_option("1")
    expect(page.get_by_text(re.compile(r"^30\d lines$"))).to_be_visible()
    page.get_by_role("button", name="To the start").click()
    page.get_by_role("link", name="Line 3", exact=True).click()
    expect(page).to_have_url(re.compile(r"[?&]line=3(&|$)"))
    page.get_by_role("button", name="Copy the link to line 3").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    somebody.require_accessible()
    page.reload()
    expect(log.locator("[data-chosen]").get_by_role("link", name="Line 3", exact=True)).to_be_visible()


def test_anothers_job_is_an_unknown_one(people: People, user: User, stranger: User) -> None:
    job_id = user.start(name="mine")
    somebody = people(stranger)
    somebody.go(f"/jobs/{job_id}")
    expect(somebody.page.get_by_role("alert")).to_contain_text("no job")
