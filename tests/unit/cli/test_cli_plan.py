"""`lorry submit --dry-run`, `lorry promote`, `lorry logs --all`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Lorry = Callable[..., Any]

DATASET = "22222222-2222-4222-8222-222222222222"
GB = 1000**3
PLAN: dict[str, Any] = {
    "config": {},
    "item_count": 10,
    "train_count": 9,
    "val_count": 1,
    "total_steps": 1000,
    "total_epochs": 112,
    "starts_now": False,
    "queue": {"position": 3, "reason": "no GPU or CPU slot is free", "eta_seconds": 90.0},
    "estimate": {"duration_seconds": 3600.0, "cost": 2.5, "explanation": "Median of 3 jobs."},
    "disk": {"needed_bytes": 9 * GB, "free_bytes": 3 * GB, "fits": False},
    "memory": {
        "needed_bytes": 7 * GB,
        "is_measured": False,
        "total_bytes": 24 * GB,
        "free_bytes": 20 * GB,
        "fits": None,
    },
    "warnings": [{"code": "disk_short", "message": "It may take 9.0 GB of disk, and 3.0 GB are free.", "field": None}],
}


@pytest.fixture(autouse=True)
def _here(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


def test_a_dry_run_tells_when_it_would_start_what_it_takes_and_what_speaks_against_it(
    server: Any, lorry: Lorry
) -> None:
    server.answer("POST", "/training/submit", {"ok": True, "data": PLAN})
    ended = lorry("submit", DATASET, "--base-model", "m/m", "--dry-run")
    assert ended.code == 0
    assert server.seen[0].query == {"dry_run": ["true"]}
    told = dict(line.split("  ", 1) for line in ended.out.splitlines())
    assert {name: text.strip() for name, text in told.items()} == {
        "trained on": "9 of 10, 1 held out",
        "steps": "1000 (112 epochs)",
        "starts": "at place 3 of the queue: no GPU or CPU slot is free",
        "waits about": "1 min 30 s",
        "takes about": "1 h 00 min",
        "costs about": "2.50",
        "disk": "up to 9.0 GB, 3.0 GB are free",
        "GPU memory": "7.0 GB for the weights alone of 24.0 GB, 20.0 GB free now",
    }
    assert ended.err == "warning (disk_short): It may take 9.0 GB of disk, and 3.0 GB are free.\n"


def test_a_dry_run_as_json_is_the_plan(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/training/submit", {"ok": True, "data": PLAN})
    assert json.loads(lorry("submit", DATASET, "--base-model", "m/m", "--dry-run", "--json").out) == PLAN


def test_what_nobody_knows_is_not_told(server: Any, lorry: Lorry) -> None:
    known = {"queue": None, "estimate": None, "memory": None, "warnings": []}
    disk = {"needed_bytes": None, "free_bytes": 3 * GB, "fits": None}
    server.answer("POST", "/training/submit", {"ok": True, "data": PLAN | known | {"disk": disk}})
    ended = lorry("submit", DATASET, "--base-model", "m/m", "--dry-run")
    assert [line.split("  ", 1)[0] for line in ended.out.splitlines()] == ["trained on", "steps", "starts", "disk"]
    assert "now" in ended.out
    assert "3.0 GB are free" in ended.out


def test_a_dry_run_uploads_nothing(server: Any, lorry: Lorry, tmp_path: Any) -> None:
    ended = lorry("submit", str(tmp_path), "--base-model", "m/m", "--dry-run")
    assert (ended.code, server.seen) == (2, [])


def test_a_checkpoint_is_promoted(server: Any, lorry: Lorry) -> None:
    version = {"name": "cat", "version": 2, "job_id": "j", "step": 500, "artifact_id": "a", "sha256": "0"}
    server.answer("POST", "/training/jobs/j/promote", {"ok": True, "data": version}, status=201)
    ended = lorry("promote", "j", "step-000500", "--name", "cat")
    assert (ended.code, ended.out) == (0, "Step 500 is version 2 of cat.\n")
    assert server.seen[0].json() == {"checkpoint": "step-000500", "name": "cat"}


def test_every_line_of_a_log_is_fetched_in_parts(server: Any, lorry: Lorry) -> None:
    for part in (["one", "two"], ["three"], []):
        server.data("/training/jobs/j/logs", part)
    assert lorry("logs", "j", "--all").out == "one\ntwo\nthree\n"
    assert [seen.query["after"] for seen in server.seen] == [["0"], ["2"], ["3"]]
