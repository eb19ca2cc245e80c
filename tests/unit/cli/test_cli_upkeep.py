"""What the command line says of jobs, and takes away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Lorry = Callable[..., Any]
MakeJob = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _here(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (("--name", "گربه"), {"name": "گربه"}),
        (("--notes", "", "--tag", "keep", "--tag", "cat"), {"notes": None, "tags": ["keep", "cat"]}),
        (("--no-tags",), {"tags": []}),
    ],
)
def test_a_job_is_described_by_what_is_said_and_nothing_else(
    server: Any, lorry: Lorry, make_job: MakeJob, options: tuple[str, ...], body: dict[str, Any]
) -> None:
    server.answer("PATCH", "/training/jobs/j", {"ok": True, "data": make_job(name="my\x1bcat", tags=["keep", "cat"])})
    ended = lorry("describe", "j", *options)
    assert (ended.code, ended.out) == (0, "Job j: my\ufffdcat; tags: keep, cat.\n")
    assert server.seen[-1].json() == body


def test_who_says_nothing_of_a_job_is_told_what_may_be_said(server: Any, lorry: Lorry) -> None:
    ended = lorry("describe", "j")
    assert ended.code == 2
    assert "--no-tags" in ended.err
    assert server.seen == []


def test_jobs_are_listed_by_their_tag_and_one_shows_its_notes(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    job = make_job(tags=["keep"], notes="The eyes\ncame out.", config={})
    server.data("/training/jobs", [job], total=1, page=1)
    server.data("/training/jobs/j", job)
    lorry("jobs", "--tag", "keep")
    assert server.seen[-1].query["tag"] == ["keep"]
    shown = lorry("job", "j").out
    assert "keep" in shown
    assert "The eyes came out." in shown


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"status": "running"}, "Job j has not ended: cancellation requested, now running.\n"),
        ({"status": "failed"}, "Job j is deleted.\n"),
        (
            {"status": "failed", "restorable_until": "2026-11-21T04:00:00Z"},
            "Job j is deleted. Until 2026-11-21 04:00:00: lorry restore j.\n",
        ),
    ],
)
def test_deleting_says_what_became_of_the_job_and_how_it_comes_back(
    server: Any, lorry: Lorry, make_job: MakeJob, job: dict[str, Any], said: str
) -> None:
    server.answer("DELETE", "/training/jobs/j", {"ok": True, "data": make_job(**job)})
    assert lorry("delete", "j").out == said


def test_a_deleted_job_comes_back_and_those_that_can_are_listed(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    gone = make_job(status="completed", restorable_until="2026-11-21T04:00:00Z")
    server.data("/training/deleted", [gone])
    server.answer("POST", "/training/jobs/j/restore", {"ok": True, "data": make_job(status="completed")})
    assert "2026-11-21 04:00:00" in lorry("restore").out
    assert lorry("restore", "j").out == "Job j is back: completed.\n"
