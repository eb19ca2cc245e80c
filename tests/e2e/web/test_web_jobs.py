"""The list of jobs in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Installation, User
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker


def test_jobs_are_listed_and_move_by_themselves(people: People, user: User, lorry_server: Installation) -> None:
    finished = user.start(name="espresso cups")
    user.wait(finished, "completed")
    broken = user.start("fake:exit=11", name="rockets")
    user.wait(broken, "failed")
    held = [user.start("fake:gate=1", name=f"cats {number}") for number in (1, 2)]
    for job_id in held:
        user.wait(job_id, "running")
    waiting = user.start("fake:gate=1", name="cats 3")
    somebody = people(user)

    expect(somebody.row(finished).locator("[data-status='completed']")).to_be_visible()
    expect(somebody.row(broken)).to_contain_text(user.job(broken)["error_message"])
    place = user.job(waiting)["queue"]
    for told in (f"place 1 · {place['explanation']}", place["freed_by"], "waiting since", "starts"):
        expect(somebody.row(waiting)).to_contain_text(told)
    somebody.photograph("jobs")
    somebody.go(f"/jobs/{waiting}")
    alert = somebody.page.get_by_role("alert").filter(has_text="Waiting, at place 1")
    for told in (place["explanation"], place["freed_by"], "waiting since", "starts"):
        expect(alert).to_contain_text(told)
    somebody.require_accessible()
    somebody.go("/jobs")

    lorry_server.open_gate(held[0])
    expect(somebody.row(held[0]).locator("[data-status='completed']")).to_be_visible()

    page = somebody.page
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("pin it as the baseline")
    somebody.require_accessible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    for key in ("ArrowDown", "ArrowDown", "Space", "j", "Space", "p"):
        page.keyboard.press(key)
    chosen = [held[1], held[0]]
    for job_id in chosen:
        expect(somebody.row(job_id).get_by_role("checkbox")).to_be_checked()
    expect(somebody.row(held[0])).to_contain_text("baseline")
    page.keyboard.press("/")
    expect(page.get_by_label("Search by name")).to_be_focused()
    page.keyboard.type("jp? ")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()
    page.get_by_label("Search by name").fill("")
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page).to_have_url(re.compile(f"baseline=%22?{held[0]}|baseline={held[0]}"))
    expect(page.locator(f"main [data-run='{held[1]}']").first).to_be_visible()


def test_a_deleted_job_is_gone_and_comes_back_by_a_click(people: People, user: User) -> None:
    job_id = user.start(name="by mistake")
    user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/jobs/{job_id}")
    page.get_by_role("button", name="Delete").click()
    gone = page.get_by_role("region", name="Deleted")
    expect(gone).to_contain_text("by mistake")
    expect(somebody.row(job_id)).to_have_count(0)
    assert user.http.get(f"/training/jobs/{job_id}").status_code == 404
    somebody.require_accessible()

    somebody.go(f"/jobs/{job_id}")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Undo: by mistake").click()
    expect(page.get_by_role("heading", name="by mistake", level=1)).to_be_visible()
    somebody.go("/jobs")
    expect(somebody.row(job_id)).to_be_visible()
    expect(gone).to_have_count(0)


def test_the_list_has_the_best_of_each_job_and_sorts_by_it(people: People, user: User) -> None:
    jobs = [user.start(name=f"number {number}") for number in (1, 2)]
    for job_id in jobs:
        user.wait(job_id, "completed")
    somebody = people(user)
    page = somebody.page
    best = user.job(jobs[0])["best"]["loss"]
    row = somebody.row(jobs[0])
    expect(row).to_contain_text(f"{best['value']:.4g} step {best['step']:,}")
    expect(row.get_by_role("link", name=user.job(jobs[0])["best_checkpoint"])).to_be_visible()
    page.get_by_label("Order").select_option(label="Lowest loss first")
    expect(page).to_have_url(re.compile("sort=best_loss"))
    found = [job["id"] for job in user.get("/training/jobs", sort="best_loss")]
    expect(page.locator("[data-job]").first).to_have_attribute("data-job", found[0])
    page.reload()
    expect(page.get_by_label("Order")).to_have_value("best_loss")
    somebody.require_accessible()


def test_a_filter_stands_in_the_address_and_says_when_nothing_matches(people: People, user: User) -> None:
    user.wait(user.start(name="one"), "completed")
    somebody = people(user)
    somebody.page.get_by_role("group", name="State").get_by_text("failed").click()
    expect(somebody.page.get_by_role("heading", name="No job matches")).to_be_visible()
    expect(somebody.page).to_have_url(re.compile("failed"))
    somebody.go("/jobs?q=ONE")
    page = somebody.page
    page.get_by_role("link", name="one", exact=True).click()
    page.get_by_role("button", name="Name, tags and notes").click()
    page.get_by_role("combobox", name="Tags").fill("نگه‌دار")
    page.get_by_role("combobox", name="Tags").press("Enter")
    page.get_by_label("Notes").fill("The eyes came out.\nTry rank 8.")
    page.get_by_label("Name", exact=True).fill("the best one")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="the best one", level=1)).to_be_visible()
    somebody.require_accessible()
    page.reload()
    expect(page.get_by_text("The eyes came out.\nTry rank 8.")).to_be_visible()
    expect(page.get_by_role("link", name="نگه‌دار")).to_be_visible()
    user.start(name="another")
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.locator("[data-job]")).to_have_count(2)
    page.get_by_role("link", name="نگه‌دار").click()
    expect(page.locator("[data-job]")).to_have_count(1)
    expect(page).to_have_url(re.compile("tag="))
    page.get_by_text("tag نگه‌دار").click()
    expect(page.locator("[data-job]")).to_have_count(2)


def test_nobody_sees_anothers_jobs(people: People, user: User, stranger: User) -> None:
    user.start(name="mine")
    expect(people(stranger).page.get_by_role("heading", name="No jobs yet")).to_be_visible()
