"""Administration in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import Person
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker


@pytest.fixture
def administrator(people: People, lorry_server: Installation) -> Person:
    """Somebody with power, on the page for it."""
    link = lorry_server.run("token", "link", "--user", "root", "--admin", "--url", lorry_server.url).stdout.strip()
    somebody = people()
    somebody.page.goto(link)
    somebody.page.get_by_role("link", name="Administration").click()
    expect(somebody.page.get_by_role("heading", name="Administration")).to_be_visible()
    return somebody


def test_an_administrator_looks_into_anothers_container_and_stops_it_with_a_reason(
    administrator: Person, lorry_server: Installation
) -> None:
    user = lorry_server.user("maryam")
    job_id = user.start("fake:gate=1", name="held")
    user.wait(job_id, "running")
    page = administrator.page
    row = page.locator(f"tr[data-container='training-{job_id}']")
    expect(row).to_contain_text(re.compile(r"\d%.*\d MB"))
    administrator.photograph("administration")

    row.get_by_role("link").click()
    expect(page.get_by_role("row", name="/workspace/datasets")).to_contain_text("read only")
    expect(page.get_by_role("row", name="/workspace/outputs")).to_contain_text("read and write")
    expect(page.get_by_role("log")).to_be_visible()
    administrator.photograph("container")

    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Reason").fill("the machine is needed")
    page.get_by_role("button", name="Save and stop").click()
    user.wait(job_id, "cancelled")
    assert any("the machine is needed" in event["message"] for event in user.records(job_id, "events"))


def test_during_maintenance_jobs_wait_and_everybody_reads_why(
    administrator: Person, people: People, lorry_server: Installation
) -> None:
    user = lorry_server.user("omar")
    page = administrator.page
    page.get_by_role("button", name="Begin maintenance").click()
    page.get_by_label("Reason").fill("a new disk")
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.get_by_text("Maintenance: no job starts")).to_be_visible()
    waiting = user.start(name="patient")

    page.get_by_role("tab", name="Queue of all").click()
    expect(page.locator(f"tr[data-waiting='{waiting}']")).to_contain_text("maintenance: a new disk")
    administrator.photograph("administration-queue")
    expect(people(user).page.get_by_role("status").filter(has_text="a new disk")).to_be_visible()

    page.get_by_role("button", name="End maintenance").click()
    user.wait(waiting, "completed")
    page.get_by_role("tab", name="Audit").click()
    expect(page.get_by_role("row", name="maintenance_ended").first).to_contain_text("root")


def test_devices_and_limits_say_who_holds_and_who_may(administrator: Person, user: User) -> None:
    job_id = user.start("fake:gate=1", name="held")
    user.wait(job_id, "running")
    page = administrator.page
    page.get_by_role("tab", name="Devices").click()
    expect(page.get_by_role("row").filter(has_text=job_id[:8])).to_contain_text("in use")
    administrator.require_accessible()
    page.get_by_role("tab", name="Limits").click()
    page.get_by_label("User").fill("grace")
    page.get_by_label("Jobs at a time").fill("5")
    page.get_by_role("button", name="Set the limit").click()
    expect(page.get_by_role("row", name="grace")).to_contain_text("5")
    administrator.require_accessible()


def test_whoever_is_no_administrator_is_shown_no_way_there(people: People, user: User) -> None:
    somebody = people(user)
    expect(somebody.page.get_by_role("link", name="Analytics")).to_be_visible()
    expect(somebody.page.get_by_role("link", name="Administration")).to_have_count(0)
    somebody.go("/admin")
    expect(somebody.page.get_by_role("alert").first).to_be_visible()
