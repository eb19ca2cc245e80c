"""A job's page in a browser: what it was made from, running it again."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import User
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker


def test_an_adapter_tells_what_it_was_made_from_and_is_made_again(people: People, user: User) -> None:
    job_id = user.start("sks cat", name="the first", config={"seed": 7})
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
    page.get_by_text("clock time", exact=True).click()
    page.get_by_text("elapsed time", exact=True).click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "long-metrics.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as table:
        assert [int(row["step"]) for row in csv.DictReader(table)] == list(range(1, 3001))
