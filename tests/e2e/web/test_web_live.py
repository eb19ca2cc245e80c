"""Pages that stay open while things happen: to jobs, and to the server."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from safetensors.numpy import load

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import person
from tests.e2e.web.conftest import People
from tests.waiting import eventually

pytestmark = pytest.mark.docker

KILLED = 137


def free_port() -> int:
    """One that a server may take twice: the browser's page stands at its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_pages_outlive_a_server_that_is_killed_and_show_what_came_of_the_job(
    browser: Browser, install: MakeInstallation
) -> None:
    installation = install(LORRY_PORT=str(free_port()))
    server = installation.serve()
    installation.wait_until_ready()
    user = installation.user("patient")
    job_id = user.start("fake:gate=1", name="outlives it")
    user.wait(job_id, "running")
    with person(browser, installation.url) as at_the_list, person(browser, installation.url) as at_the_job:
        at_the_list.sign_in(user.token)
        at_the_job.sign_in(user.token)
        at_the_job.go(f"/jobs/{job_id}")
        for somebody in (at_the_list, at_the_job):
            expect(somebody.page.locator("[data-link='live']")).to_be_visible()

        server.stop(signal.SIGKILL)
        installation.open_gate(job_id)
        for somebody in (at_the_list, at_the_job):
            expect(somebody.page.locator("[data-link='reconnecting']")).to_be_visible()
            expect(somebody.page.get_by_text("outlives it")).to_be_visible()
            expect(somebody.page.get_by_role("alert")).to_have_count(0)

        installation.serve()
        expect(at_the_list.row(job_id).locator("[data-status='completed']")).to_be_visible()
        expect(at_the_list.page.locator("[data-link='live']")).to_be_visible()
        expect(at_the_job.page.locator("[data-status='completed']")).to_be_visible()
        at_the_job.page.get_by_role("tab", name="Files").click()
        expect(at_the_job.page.get_by_text("safetensors").first).to_be_visible()


def test_a_jobs_gallery_and_files_grow_while_it_trains_and_its_early_end_says_what_that_saved(
    browser: Browser, lorry_server: Installation, user: User
) -> None:
    job_id = user.start(
        "fake:gate=1", "fake:early_sample=1", "fake:early_checkpoint=1", "fake:seconds=600", "fake:reports=1000"
    )
    user.wait(job_id, "running")
    with person(browser, lorry_server.url) as somebody:
        somebody.sign_in(user.token)
        somebody.go(f"/jobs/{job_id}")
        somebody.page.get_by_role("tab", name="Samples").click()
        expect(somebody.page.get_by_text("No samples yet")).to_be_visible()

        lorry_server.open_gate(job_id)
        expect(somebody.page.get_by_role("img", name="a photo")).to_be_visible()
        somebody.page.get_by_role("tab", name="Files").click()
        with somebody.page.expect_download() as download:
            somebody.page.get_by_role("button", name="Download adapter.safetensors").click()
        assert load(Path(download.value.path()).read_bytes())
        expect(somebody.page.locator("[data-status='running']").first).to_be_visible()

        eventually(lambda: user.job(job_id)["current_step"] > 0, what="a step")
        somebody.page.get_by_role("button", name="Cancel the job").click()
        expect(somebody.page.get_by_role("dialog")).to_contain_text("after its last checkpoint, of step 1, is lost")
        somebody.page.get_by_role("button", name="Save and stop").click()
        expect(somebody.page.get_by_role("note", name="Saved")).to_contain_text("Ending early saved about")
        somebody.require_accessible()
    user.wait(job_id, "cancelled")


def test_a_comparison_moves_while_one_of_its_jobs_trains(
    browser: Browser, lorry_server: Installation, user: User
) -> None:
    ended = user.start(name="ended")
    user.wait(ended, "completed")
    job_id = user.start("fake:gate=1", name="trains")
    user.wait(job_id, "running")
    with person(browser, lorry_server.url) as somebody:
        somebody.sign_in(user.token)
        somebody.go(f'/compare?ids=["{ended}","{job_id}"]')
        expect(somebody.page.locator("[data-link='live']")).to_be_visible()
        last = somebody.page.get_by_role("row", name=re.compile("^Last loss")).get_by_role("cell").last
        expect(last).not_to_contain_text("step")

        lorry_server.open_gate(job_id)
        expect(last).to_contain_text("step")
        expect(somebody.page.locator("[data-link]")).to_have_text("")
    user.wait(job_id, "completed")


def test_a_job_that_takes_its_time_to_stop_says_since_when_on_every_page(people: People, user: User) -> None:
    job_id = user.start("fake:gate=1", "fake:ignore_sigterm=1", name="slow to stop")
    user.wait(job_id, "running")
    at_the_list, at_the_job = people(user), people(user)
    at_the_job.go(f"/jobs/{job_id}")
    at_the_job.page.get_by_role("button", name="Cancel the job").click()
    dialog = at_the_job.page.get_by_role("dialog")
    expect(dialog).to_contain_text("nothing is left of it, for it has no checkpoint yet")
    expect(dialog.get_by_role("button", name="Stop now")).to_be_visible()
    dialog.get_by_role("button", name="Save and stop").click()
    stopping = at_the_job.page.get_by_role("status").filter(has_text="Stopping")
    expect(stopping).to_contain_text("Its end was asked for")
    left = re.compile(r"Its container has (\d+ (min|sec) ?)+ to save a checkpoint")
    expect(stopping).to_contain_text(left)
    before = stopping.inner_text()
    expect(stopping).not_to_have_text(before)  # it counts down
    at_the_job.require_accessible()
    expect(at_the_job.page.get_by_role("button", name="Cancel the job")).to_have_count(0)
    at_the_job.page.reload()
    expect(stopping).to_be_visible()
    expect(at_the_list.row(job_id)).to_contain_text("stopping, asked for")
    stopping.get_by_role("button", name="Stop now, without saving").click()
    assert user.wait(job_id, "cancelled")["exit_code"] == KILLED
    expect(stopping).to_have_count(0)
