"""Checkpoints are put back as the container's own, and through nothing that a container made."""

from __future__ import annotations

import os

import pytest

from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.domain.errors import LaunchRefused

JOB = "7f9c1d7e-0000-4000-8000-000000000003"


@pytest.fixture
def workspace(tmp_path):
    workspace = FilesystemWorkspace(tmp_path / "data", owner=Owner(os.geteuid(), os.getegid()))
    workspace.prepare(JOB, {})
    return workspace


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "data" / "outputs" / JOB


@pytest.fixture
def files(tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(b"weights")
    return {f"checkpoints/step-000{step}00/state.safetensors": str(copy) for step in (1, 2)}


def test_what_was_collected_is_there_again_and_nothing_else(workspace, outputs, files):
    assert workspace.restore_checkpoints(JOB, files)

    found = {str(path.relative_to(outputs)) for path in outputs.rglob("*") if path.is_file()}
    assert found == set(files)
    assert {(outputs / path).read_bytes() for path in files} == {b"weights"}
    assert [path.name for path in outputs.parent.iterdir()] == [JOB]


def test_a_link_in_the_folders_place_is_not_followed(workspace, outputs, files, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (outputs / "checkpoints").symlink_to(elsewhere)

    assert not workspace.restore_checkpoints(JOB, files)
    assert list(elsewhere.iterdir()) == []


def test_what_a_killed_process_left_half_done_is_begun_anew(workspace, outputs, files):
    left = outputs.parent / f".restoring-{JOB}" / "step-000900"
    left.mkdir(parents=True)

    assert workspace.restore_checkpoints(JOB, files)
    assert sorted(path.name for path in (outputs / "checkpoints").iterdir()) == ["step-000100", "step-000200"]


def test_a_copy_that_cannot_be_read_refuses_the_launch(workspace, outputs, files, tmp_path):
    (tmp_path / "copy").unlink()

    with pytest.raises(LaunchRefused, match="could not be put back"):
        workspace.restore_checkpoints(JOB, files)
    assert not (outputs / "checkpoints").exists()
