"""`lorry models`: the catalogue on a terminal, waiting for a download, and the operator's cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.filesystem.model_files import FilesystemModelFiles
from orchestrator.domain.model import INDEX, ModelSource
from tests.contract.model_files import COMMIT, CONTENT, snapshot_of
from tests.factories import NOW, make_model

Lorry = Callable[..., Any]
MODEL = "stable-diffusion-v1-5/stable-diffusion-v1-5"
ENTRY = make_model(id=MODEL, source=ModelSource.HUGGINGFACE)


def _row(**changes: Any) -> dict[str, Any]:
    row = {
        "id": MODEL,
        "family": "sd15",
        "status": "error",
        "ready": False,
        "fetchable": True,
        "progress": None,
        "message": None,
        "size": "4.0 GiB",
        "memory": "2.1 GiB",
        "revision": COMMIT,
        "licence": "MIT",
        "description": "Small.",
    }
    return row | changes


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "fetched when needed"),
        ({"status": "downloading", "progress": 43}, "downloading, 43 %"),
        ({"status": "ready", "ready": True}, "ready"),
        ({"message": "It is gated."}, "error"),
        ({"fetchable": False}, "error"),
    ],
)
def test_the_list_says_what_is_here_and_what_is_fetched(
    server: Any, lorry: Lorry, changes: dict[str, Any], shown: str
) -> None:
    server.data("/catalog/models", [_row(**changes)])
    line = lorry("models", "list", "--url", server.url).out.splitlines()[-1]

    assert shown in line
    assert "4.0 GiB" in line


def test_pulling_waits_until_the_model_is_there(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/models/download/start", {"ok": True, "data": {}})
    server.data("/catalog/models", [_row(status="downloading", progress=43)])
    server.data("/catalog/models", [_row(status="ready", ready=True)])
    ended = lorry("models", "pull", MODEL, "--url", server.url)

    assert (ended.code, ended.out) == (0, f"{MODEL} is here: 4.0 GiB, revision {COMMIT}.\n")
    assert server.seen[0].json() == {"modelId": MODEL}


def test_pulling_says_why_a_model_cannot_be_had(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/models/download/start", {"ok": True, "data": {}})
    server.data("/catalog/models", [_row(message="It is gated.")])
    ended = lorry("models", "pull", MODEL, "--url", server.url)

    assert (ended.code, ended.err) == (1, f"{MODEL} could not be fetched. It is gated.\n")


def test_pulling_what_is_not_in_the_catalogue_is_refused(server: Any, lorry: Lorry) -> None:
    server.refuse("POST", "/models/download/start", 400, "MODEL_NOT_ALLOWED", "Not in the catalogue.")
    ended = lorry("models", "pull", "a/b", "--url", server.url)

    assert ended.code == 3
    assert "MODEL_NOT_ALLOWED" in ended.err


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Path:
    """The folder of a fetched model in this machine's cache."""
    monkeypatch.setenv("LORRY_DATA_DIR", str(data_dir))
    files = FilesystemModelFiles(data_dir)
    for path, content in CONTENT.items():
        target = Path(files.staging(ENTRY, revision=COMMIT), path)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    files.install(ENTRY, snapshot_of(CONTENT), at=NOW)
    return data_dir / "models" / ENTRY.folder


def test_verifying_reads_every_file(lorry: Lorry, fetched: Path) -> None:
    assert "as its hub promised" in lorry("models", "verify").out
    (fetched / INDEX).write_text("[]")
    ended = lorry("models", "verify", "--json")

    assert ended.code == 1
    assert json.loads(ended.out) == {MODEL: [f"{INDEX} has another content than its checksum says."]}


def test_verifying_an_unknown_model_names_those_there_are(lorry: Lorry, fetched: Path) -> None:
    ended = lorry("models", "verify", "a/b")

    assert ended.code == 1
    assert MODEL in ended.err


def test_pruning_a_named_model_gives_its_room_back(lorry: Lorry, fetched: Path) -> None:
    assert ENTRY.folder in lorry("models", "prune", MODEL, "--dry-run").out
    assert fetched.exists()
    ended = lorry("models", "prune", MODEL, "--json")

    assert json.loads(ended.out) == {"dry_run": False, "removed": [{"name": ENTRY.folder, "size_bytes": 9}]}
    assert not fetched.exists()
    assert "Nothing to remove." in lorry("models", "prune").out
