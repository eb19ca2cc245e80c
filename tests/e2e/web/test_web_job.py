"""A job's page in a browser: what it was made from, running it again."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.installation import User
from tests.e2e.web.browser import Person
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker

SUBJECT = ("dataset_id", "base_model", "type", "trigger_words", "name")


def test_an_adapter_tells_what_it_was_made_from_and_is_made_again(people: People, user: User) -> None:
    job_id = user.start("sks cat", name="the first", config={"seed": 7, "lr_scheduler": "cosine"})
    user.wait(job_id, "completed")
    lineage = user.get(f"/training/jobs/{job_id}/lineage")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}?tab=lineage")
    for digest in (lineage["dataset"]["sha256"], lineage["adapter"]["sha256"], lineage["config_sha256"]):
        expect(page.get_by_title(digest, exact=True)).to_be_visible()
    expect(page.get_by_text(lineage["caption_template"])).to_be_visible()
    page.get_by_title(lineage["config_sha256"], exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    somebody.photograph("job-lineage")

    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("its adapter will be the same")).to_be_visible()
    somebody.require_accessible()
    page.get_by_role("link", name="To the new job").click()
    expect(page).not_to_have_url(re.compile(job_id))
    again = page.url.partition("/jobs/")[2].partition("?")[0]
    user.wait(again, "completed")
    assert user.job(again)["retry_of"] == job_id
    page.get_by_role("tab", name="Lineage").click()
    expect(page.get_by_role("link", name=job_id[:8])).to_be_visible()
    page.get_by_role("button", name=f"Copy {job_id[:8]}").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    continue_it(somebody, user, job_id)
    somebody.page.get_by_role("tab", name="Lineage").click()
    expect(page.get_by_role("listitem").filter(has_text="Goes on from").last).to_contain_text("step-001000")


def continue_it(somebody: Person, user: User, job_id: str) -> None:
    """With more steps; the new job says from where."""
    page = somebody.page
    somebody.go(f"/jobs/{job_id}")
    page.get_by_role("button", name="Continue").click()
    dialog = page.get_by_role("dialog", name="Continue with more steps")
    expect(dialog).to_contain_text("goes on after step 1,000, to step 2,000")
    dialog.get_by_label("Steps in all").fill("900")
    expect(dialog.get_by_role("alert")).to_contain_text("must take more than that")
    dialog.get_by_label("Steps in all").fill("1200")
    expect(dialog).to_contain_text("stretched over 1,200 steps")
    somebody.require_accessible()
    dialog.get_by_role("button", name="Continue it").click()

    expect(page.get_by_text("goes on from")).to_contain_text("after step 1,000")
    again = page.url.partition("/jobs/")[2].partition("?")[0]
    job = user.wait(again, "completed")
    assert job["continues"] == {"job_id": job_id, "checkpoint": "step-001000", "step": 1000}
    assert job["config"] == user.job(job_id)["config"] | {"steps": 1200}


def test_a_thinned_curve_says_so_and_has_every_point_close_up_and_in_a_table(people: People, user: User) -> None:
    job_id = user.start("fake:reports=3000", name="long", config={"steps": 3000})
    user.wait(job_id, "completed")
    somebody = people(user)
    somebody.go(f"/jobs/{job_id}")
    page = somebody.page
    chart = page.get_by_role("img", name="Loss")
    count = chart.locator("..").get_by_text(re.compile(r"^[12],\d{3} of 3,000 points$"))
    expect(count).to_be_visible()
    page.get_by_text("strong", exact=True).click()
    page.get_by_label("Log scale").check()
    expect(page).to_have_url(re.compile(r"smooth=strong&log=true"))

    chart.locator(".u-over").drag_to(
        chart.locator(".u-over"), source_position={"x": 50, "y": 50}, target_position={"x": 150, "y": 50}
    )
    expect(page).to_have_url(re.compile(r"from=\d.*&to=\d"))
    expect(count).to_have_count(0)
    somebody.require_accessible()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("tab", name="Charts").click()
    page.reload()
    page.get_by_role("button", name="Show all of it").click()
    expect(page).not_to_have_url(re.compile("from="))
    expect(count).to_be_visible()
    expect(page.get_by_label("Log scale")).to_be_checked()
    chart.locator(".u-over").hover(position={"x": 100, "y": 50})
    expect(page.get_by_role("img", name="Learning rate").locator(".u-value").first).to_have_text(re.compile(r"\d"))
    page.get_by_text("clock time", exact=True).click()
    page.get_by_text("elapsed time", exact=True).click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "long-metrics.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as table:
        assert [int(row["step"]) for row in csv.DictReader(table)] == list(range(1, 3001))


def test_a_new_job_starts_from_an_earlier_ones_settings_and_shows_what_was_changed(people: People, user: User) -> None:
    first = user.start("sks cat", name="the first", config={"seed": 7})
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{first}")
    page.get_by_role("link", name="New from this").click()
    changes = page.get_by_role("region", name="Changes")
    expect(changes).to_contain_text("it would be the same job")
    expect(page.get_by_role("radio", name="lorry/tiny-sd15")).to_be_checked()
    expect(page.get_by_label("Name")).to_have_value("the first")
    page.get_by_label("lora_rank", exact=True).fill("4")
    expect(changes.locator("[data-changed]")).to_have_text(re.compile("lora_rank.*16.*4"))
    somebody.require_accessible()

    page.get_by_role("button", name="Submit the job").click()
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f]{8}-"))
    second = page.url.partition("/jobs/")[2].partition("?")[0]
    before, now = user.job(first), user.job(second)
    assert now["config"] == before["config"] | {"lora_rank": 4}
    assert [now[key] for key in SUBJECT] == [before[key] for key in SUBJECT]


def test_samples_stand_in_a_grid_and_a_chosen_step_in_the_address(people: People, user: User) -> None:
    job_id = user.start("fake:early_sample=1", name="drawn")
    user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}?tab=samples")
    page.get_by_label("All steps").check()
    grid = page.get_by_role("region", name="All steps")
    expect(grid.get_by_role("columnheader")).to_have_count(3)
    expect(grid.get_by_role("img")).to_have_count(2)
    somebody.require_accessible()

    grid.get_by_role("button").first.click()
    chosen = page.get_by_role("img", name=re.compile("^Sample of step 0:"))
    expect(chosen).to_be_visible()
    page.reload()
    expect(chosen).to_be_visible()
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    expect(page.get_by_text("No checkpoint of this step was kept")).to_be_visible()
    page.get_by_role("heading", name="drawn").click()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "1")
    expect(page.get_by_text("Drawn by the finished adapter")).to_be_visible()


def test_a_checkpoint_that_drew_best_becomes_a_version_of_the_model(people: People, user: User) -> None:
    job_id = user.start("fake:sampled_checkpoints=1", name="half way", config={"steps": 1000})
    user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}?tab=samples&step=950")
    weights = page.locator("[data-weights='step-000950']")
    expect(weights.get_by_role("link", name="step-000950")).to_be_visible()
    expect(weights.get_by_role("button", name=re.compile("^Download"))).to_be_visible()
    somebody.require_accessible()
    weights.get_by_role("button", name="Promote").click()
    expect(weights.get_by_text("registered")).to_be_visible()
    (model,) = user.get("/models/registered")
    latest = model["latest"]
    assert (model["name"], latest["version"], latest["step"], latest["job_id"]) == ("half way", 2, 950, job_id)
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_text("Step 950 was registered as version 2 of half way.")).to_be_visible()
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_role("button", name="Promote step-001000")).to_be_visible()
    somebody.go("/models")
    expect(page.locator("[data-model='half way']").get_by_text("step 950")).to_be_visible()


def test_of_five_hundred_samples_only_those_near_the_screen_are_fetched(people: People, user: User) -> None:
    job_id = user.start(name="drew a lot")
    user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page

    def multiply(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        one = body["data"][0]
        body["data"] = [
            one | {"prompt": f"prompt {row}", "step": step, "thumbnail_url": f"{one['thumbnail_url']}&{row}-{step}"}
            for row in range(8)
            for step in range(1, 63)
        ]
        route.fulfill(response=answer, json=body)

    page.route("**/training/jobs/*/samples", multiply)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/image?size=small&" in request.url else None)
    somebody.go(f"/jobs/{job_id}?tab=samples&view=all")
    expect(page.get_by_role("img", name="Sample of step 1: prompt 0")).to_be_visible()
    page.get_by_role("region", name="All steps").evaluate("region => { region.scrollLeft = region.scrollWidth }")
    expect(page.get_by_role("img", name="Sample of step 62: prompt 0")).to_be_visible()
    assert len(asked) < 8 * 62 / 2, len(asked)
