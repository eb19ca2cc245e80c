"""Folders a container wrote to hurt whoever reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.adapters.filesystem.artifact_store import FilesystemArtifactStore
from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.measuring import measure_tree
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.untrusted import FileRules
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.domain.errors import LaunchRefused
from orchestrator.ports.workspace import BEYOND_MEASURE

JOB = "7f9c1d7e-0000-4000-8000-000000000003"
OWNER = Owner(10001, 10001)
MIB = 1024**2


@pytest.fixture
def outputs(data_dir):
    folder = Path(FilesystemWorkspace(data_dir, owner=OWNER).prepare(JOB, {}).outputs)
    yield folder
    delete_tree(folder)  # pytest's own clean-up cannot: it recurses


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("secret")
    return path


def make_deep(folder: Path, depth: int, name: str = "deep") -> None:
    """A chain of folders longer than any path may be."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("end.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def make_hostile(outputs: Path, secret: Path) -> None:
    (outputs / "link.txt").symlink_to(secret)
    (outputs / "folder-link").symlink_to(secret.parent)
    (outputs / "dangling.txt").symlink_to("nowhere")
    os.mkfifo(outputs / "pipe.txt")
    (outputs / "hard.txt").hardlink_to(secret)
    for name in (b"new\nline.txt", b"\x1b[31m.txt", b"-rf.txt", b"\xff.txt", b".hidden.txt", b"n" * 251 + b".txt"):
        Path(os.fsdecode(bytes(outputs) + b"/" + name)).write_bytes(b"x")
    (outputs / "closed").mkdir(mode=0)
    make_deep(outputs, 1_500)


def test_only_plain_regular_files_are_collected(data_dir, outputs, secret):
    make_hostile(outputs, secret)
    (outputs / "samples").mkdir()
    (outputs / "samples" / "good one.txt").write_text("good")

    collected = FilesystemArtifactStore(data_dir).collect(JOB)

    assert [file.path for file in collected] == ["samples/good one.txt"]
    kept = [path for path in (data_dir / "artifacts").rglob("*") if path.is_file()]
    assert [path.read_text() for path in kept] == ["good"]


@pytest.mark.parametrize(
    "path", ["link.png", "linked/secret.png", "pipe.png", "hard.png", "closed/a.png", "folder.png"]
)
def test_a_sample_is_taken_of_a_running_job_only_where_it_is_a_plain_regular_file(data_dir, outputs, tmp_path, path):
    secret = tmp_path / "elsewhere" / "secret.png"
    secret.parent.mkdir()
    secret.write_text("secret")
    (outputs / "link.png").symlink_to(secret)
    (outputs / "linked").symlink_to(secret.parent)
    os.mkfifo(outputs / "pipe.png")
    (outputs / "hard.png").hardlink_to(secret)
    (outputs / "closed").mkdir(mode=0)
    (outputs / "folder.png").mkdir()

    assert FilesystemArtifactStore(data_dir).take(JOB, path, limit_bytes=MIB) is None
    assert not (data_dir / "artifacts").exists()


def test_a_sample_that_the_disk_has_no_room_for_is_left_for_the_end(data_dir, outputs):
    (outputs / "a.png").write_bytes(b"x")
    (data_dir / "artifacts").write_text("a file where a folder should be")

    assert FilesystemArtifactStore(data_dir).take(JOB, "a.png", limit_bytes=MIB) is None


def test_the_collector_keeps_within_its_limits(data_dir, outputs):
    rules = FileRules(suffixes=(".txt",), max_files=3, max_file_bytes=100, max_total_bytes=150, max_depth=2)
    for name, size_bytes in {"a": 101, "b": 100, "c": 60, "d": 20, "e": 20, "f": 1}.items():
        (outputs / f"{name}.txt").write_bytes(b"x" * size_bytes)
    (outputs / "1" / "2").mkdir(parents=True)
    (outputs / "1" / "2" / "too-deep.txt").write_bytes(b"x")

    collected = FilesystemArtifactStore(data_dir, rules=rules).collect(JOB)

    assert [file.path for file in collected] == ["b.txt", "d.txt", "e.txt"]


def test_collected_files_belong_to_us_and_cannot_be_executed(data_dir, outputs):
    (outputs / "tool.txt").write_text("#!/bin/sh")
    (outputs / "tool.txt").chmod(0o4777)

    FilesystemArtifactStore(data_dir).collect(JOB)

    found = (data_dir / "artifacts" / JOB / "tool.txt").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o644, os.geteuid())


def test_everything_can_be_deleted_and_nothing_outside_is(data_dir, outputs, secret):
    make_hostile(outputs, secret)

    FilesystemWorkspace(data_dir, owner=OWNER).remove(JOB)

    assert not outputs.exists()
    assert secret.read_text() == "secret"


def test_deleting_a_link_to_a_folder_deletes_the_link(tmp_path, secret):
    link = tmp_path / "link"
    link.symlink_to(secret.parent)

    delete_tree(link)

    assert not link.is_symlink()
    assert secret.exists()


def test_whatever_is_in_them_outputs_are_measured_and_nothing_outside_is(data_dir, outputs, secret):
    secret.write_bytes(b"x" * 50 * MIB)
    make_hostile(outputs, secret)
    (outputs / "hard.txt").unlink()  # a hard link is the file itself: the container could not make it
    (outputs / "closed" / "weights").write_bytes(b"x" * MIB)

    measured = FilesystemWorkspace(data_dir, owner=OWNER).outputs_bytes(JOB)

    assert measured >= MIB + 1_500 * 4096
    assert measured < 30 * MIB


def measured(tree, **limits):
    """Whatever time it takes on a busy machine."""
    return measure_tree(tree, **{"max_seconds": 60} | limits)


def test_the_deepest_folder_is_measured_too(outputs):
    make_deep(outputs, 1_500)
    before = measured(outputs)
    here = outputs
    for _ in range(200):
        here = here / "deep"
    (here / "weights").write_bytes(b"x" * MIB)

    assert before >= 1_501 * 4096
    assert measured(outputs) >= before + MIB


def test_a_file_with_holes_takes_only_what_is_written_of_it(outputs):
    with (outputs / "holes").open("wb") as file:
        file.truncate(1024 * MIB)

    assert measured(outputs) < MIB


def test_empty_files_take_space_too_and_too_many_are_beyond_measure(outputs):
    for number in range(100):
        (outputs / str(number)).touch()

    assert measured(outputs) == 100 * 4096
    assert measured(outputs, max_entries=100) == 100 * 4096
    assert measured(outputs, max_entries=99) == BEYOND_MEASURE


def test_measuring_stops_when_its_time_is_up(outputs):
    for number in range(100):
        (outputs / str(number)).touch()

    assert measure_tree(outputs, max_seconds=0) < 100 * 4096


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "dangling link"])
def test_an_event_file_that_is_something_else_is_not_followed(data_dir, outputs, secret, kind):
    events = outputs / "events.jsonl"
    {
        "link": lambda: events.symlink_to(secret),
        "folder": events.mkdir,
        "fifo": lambda: os.mkfifo(events),
        "dangling link": lambda: events.symlink_to("nowhere"),
    }[kind]()

    bite = FilesystemWorkspace(data_dir, owner=OWNER).read_events(JOB, offset=0, limit_bytes=100)
    assert (bite.lines, bite.file_bytes) == ((), 0)


def test_the_container_may_write_its_outputs_and_read_its_config(data_dir):
    paths = FilesystemWorkspace(data_dir, owner=OWNER).prepare(JOB, {"name": "گربه"})

    assert Path(paths.config).stat().st_mode & 0o777 == 0o644
    assert "گربه" in Path(paths.config).read_text(encoding="utf-8")
    found = Path(paths.outputs).stat()
    assert found.st_mode & 0o777 == 0o700
    assert found.st_uid == (OWNER.uid if os.geteuid() == 0 else os.geteuid())


def test_a_disk_that_says_no_refuses_the_launch(tmp_path):
    (tmp_path / "configs").write_text("a file where a folder should be")

    with pytest.raises(LaunchRefused, match="could not be written"):
        FilesystemWorkspace(tmp_path, owner=OWNER).prepare(JOB, {})
