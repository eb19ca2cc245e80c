"""A page of one's own that follows a job, in a real browser whose connection is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import person
from tests.e2e.web.relay import Relay
from tests.waiting import eventually

pytestmark = pytest.mark.docker

FOLLOW = Path(__file__).with_name("follow.js").read_text(encoding="utf-8")


def told(page: Page) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = page.evaluate("window.told")
    return events


def names(page: Page) -> list[str]:
    return [event["name"] for event in told(page)]


@pytest.fixture
def relay(lorry_server: Installation) -> Iterator[Relay]:
    with closing(Relay(lorry_server.url)) as relay:
        yield relay


@pytest.mark.parametrize("way", ["EventSource", "fetch"])
def test_a_job_is_followed_live_and_past_a_connection_that_was_cut(
    browser: Browser, relay: Relay, user: User, lorry_server: Installation, way: str
) -> None:
    job_id = user.start("fake:gate=1", "fake:seconds=4")
    with person(browser, relay.url) as somebody:
        page = somebody.page
        somebody.go("/signin")
        # Not waited for: it goes on while the test looks, and cuts it off.
        page.evaluate(f"{FOLLOW}; void follow({way!r}, {job_id!r}, {user.token!r})")
        eventually(lambda: "phase" in names(page), what="the first phase")
        lorry_server.open_gate(job_id)
        eventually(lambda: "metrics" in names(page), what="a first metric")
        assert user.job(job_id)["status"] == "running"
        relay.cut()
        eventually(lambda: page.evaluate("window.breaks"), what="a broken connection")
        eventually(lambda: "done" in names(page), what="the job's end")
        events = told(page)
    assert [each["data"]["step"] for each in events if each["name"] == "metrics"] == [
        row["step"] for row in user.records(job_id, "metrics")
    ]
    assert [each["data"]["id"] for each in events if each["name"] in ("status", "phase", "sample", "history")] == [
        row["id"] for row in user.records(job_id, "events")
    ]
    ends = [each for each in events if each["name"] in ("done", "error", "closing")]
    assert ends == events[-1:]
    assert ends[0]["data"]["status"] == "completed"
