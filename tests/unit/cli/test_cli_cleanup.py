"""`lorry cleanup` over a real data directory; the engine is one that is not there."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

Lorry = Callable[..., Any]
STRANGER = "3f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The command sets the process's log up, and this process has other tests to run."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def log_of_nobody(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Path:
    """An old log of a job that the store does not know."""
    monkeypatch.setenv("LORRY_DATA_DIR", str(data_dir))
    monkeypatch.setenv("LORRY_DOCKER_HOST", f"unix://{data_dir}/no.sock")
    file = data_dir / "logs" / f"{STRANGER}.log"
    file.parent.mkdir()
    file.write_bytes(b"x" * 1500)
    os.utime(file, (0, 0))
    return file


def test_a_dry_run_says_what_would_go_and_removes_nothing(lorry: Lorry, log_of_nobody: Path) -> None:
    ended = lorry("cleanup", "--dry-run")

    assert ended.out.split()[:4] == ["WOULD", "REMOVE", "COUNT", "SIZE"]
    assert ended.out.splitlines()[-1].split() == ["logs", "of", "no", "job", "1", "1.5", "kB"]
    assert log_of_nobody.exists()


def test_it_removes_it_and_says_what_it_could_not_look_at(lorry: Lorry, log_of_nobody: Path) -> None:
    ended = lorry("cleanup", "--json")

    answer = json.loads(ended.out)
    assert (answer["dry_run"], answer["removed"]["logs of no job"]) == (False, {"count": 1, "size_bytes": 1500})
    assert answer["problem"].startswith("Containers were not looked at.")
    assert answer["problem"] in ended.err
    assert ended.code == 1
    assert not log_of_nobody.exists()
    assert "Nothing to remove." in lorry("cleanup").out
