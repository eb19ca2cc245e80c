"""Versions on a real disk: cheap, readable for a container, and gone when nobody needs them."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.domain.dataset import version_of
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from tests.factories import NOW, picture_bytes, upload

DATASET = "7f9c1d7e-0000-4000-8000-000000000006"
TWO_DAYS = 2 * 24 * 3600


@pytest.fixture
def files(data_dir):
    return FilesystemDatasetFiles(data_dir)


@pytest.fixture
def item(files):
    (item,) = files.store(DATASET, upload({"cat.png": picture_bytes(), "cat.txt": b"a cat"}))
    return item


def version(item, caption):
    return version_of(DATASET, [replace(item, caption=caption)], at=NOW)


def grown_old(path):
    two_days_ago = time.time() - TWO_DAYS
    os.utime(path, (two_days_ago, two_days_ago))
    return Path(path)


def test_a_version_costs_no_second_copy_of_its_pictures(files, item, data_dir):
    folder = Path(files.freeze(version(item, "a cat"), in_use=()))

    assert (folder / "00001.png").samefile(data_dir / "datasets" / DATASET / "00001.png")


def test_where_the_file_system_makes_no_links_pictures_are_copied(files, item, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    folder = Path(files.freeze(version(item, "a cat"), in_use=()))

    assert (folder / "00001.png").read_bytes() == picture_bytes()


def test_a_version_is_readable_for_the_containers_user(files, item):
    folder = Path(files.freeze(version(item, "a cat"), in_use=()))

    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "00001.png": 0o644,
        "00001.txt": 0o644,
    }


def test_old_versions_go_when_another_is_used_unless_a_job_has_them_mounted(files, item):
    used, unused, young = (version(item, caption) for caption in ("used", "unused", "young"))
    folders = [Path(files.freeze(each, in_use=())) for each in (used, unused, young)]
    for folder in folders[:2]:
        grown_old(folder)

    files.freeze(version(item, "another"), in_use={used.sha256})

    assert [folder.exists() for folder in folders] == [True, False, True]


def test_a_version_that_went_is_made_again(files, item):
    old = version(item, "a cat")
    grown_old(files.freeze(old, in_use=()))
    files.freeze(version(item, "a dog"), in_use=())

    assert (Path(files.freeze(old, in_use=())) / "00001.txt").read_text() == "a cat\n"


def test_a_version_that_is_used_again_counts_as_young(files, item):
    folder = grown_old(files.freeze(version(item, "a cat"), in_use=()))

    files.freeze(version(item, "a cat"), in_use=())
    files.freeze(version(item, "a dog"), in_use=())

    assert folder.exists()


def test_a_picture_that_is_gone_fails_the_launch_and_leaves_no_half_version(files, item, data_dir):
    (data_dir / "datasets" / DATASET / "00001.png").unlink()

    with pytest.raises(LaunchRefused) as refused:
        files.freeze(version(item, "a cat"), in_use=())

    assert refused.value.reason is EndReason.DATASET_MISSING
    assert list((data_dir / "datasets" / DATASET / "versions").iterdir()) == []


def test_a_disk_that_says_no_is_a_reason_of_its_own(files, item, data_dir):
    (data_dir / "datasets" / DATASET / "versions").write_text("a file where a folder should be")

    with pytest.raises(LaunchRefused) as refused:
        files.freeze(version(item, "a cat"), in_use=())

    assert refused.value.reason is EndReason.LAUNCH_REFUSED
