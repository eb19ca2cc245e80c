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
    expect(somebody.row(waiting)).to_contain_text(f"place 1 · {user.job(waiting)['queue']['reason']}")
    somebody.photograph("jobs")

    lorry_server.open_gate(held[0])
    expect(somebody.row(held[0]).locator("[data-status='completed']")).to_be_visible()


def test_a_filter_stands_in_the_address_and_says_when_nothing_matches(people: People, user: User) -> None:
    user.wait(user.start(name="one"), "completed")
    somebody = people(user)
    somebody.page.get_by_role("group", name="State").get_by_text("failed").click()
    expect(somebody.page.get_by_role("heading", name="No job matches")).to_be_visible()
    expect(somebody.page).to_have_url(re.compile("failed"))
    somebody.go("/jobs?q=ONE")
    expect(somebody.page.get_by_text("one", exact=True)).to_be_visible()


def test_nobody_sees_anothers_jobs(people: People, user: User, stranger: User) -> None:
    user.start(name="mine")
    expect(people(stranger).page.get_by_role("heading", name="No jobs yet")).to_be_visible()
