"""Checkpoints are whole or absent, and belong to one configuration."""

from __future__ import annotations

import pytest
import torch

from lora_trainer.checkpoint import MANIFEST, STAGING_PREFIX, TENSORS, CheckpointFolder

pytestmark = pytest.mark.trainer


@pytest.fixture
def folder(tmp_path):
    return CheckpointFolder(tmp_path, identity="a", keep=2)


def tensors(value):
    return {"adapter/x": torch.full((4,), float(value))}


def test_the_newest_comes_back_and_older_ones_are_removed(folder, tmp_path):
    for step in (5, 10, 15):
        folder.save(step, tensors(step), {"misses": step})

    latest = folder.find(None)

    assert (latest.step, latest.facts) == (15, {"misses": 15})
    assert torch.equal(latest.tensors["adapter/x"], torch.full((4,), 15.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000010", "step-000015"]


def cut_tensors(path):
    (path / TENSORS).write_bytes((path / TENSORS).read_bytes()[:-1])


def cut_manifest(path):
    (path / MANIFEST).write_text((path / MANIFEST).read_text()[:20])


def no_manifest(path):
    (path / MANIFEST).unlink()


@pytest.mark.parametrize("spoil", [cut_tensors, cut_manifest, no_manifest])
def test_a_damaged_one_is_passed_over_for_an_older_one(folder, spoil):
    folder.save(5, tensors(5), {})
    spoil(folder.save(10, tensors(10), {}))

    assert folder.find(None).step == 5


def test_what_a_killed_save_left_is_neither_read_nor_kept(folder, tmp_path):
    half = tmp_path / f"{STAGING_PREFIX}step-000010"
    half.mkdir(parents=True)
    (half / TENSORS).write_bytes(b"half")

    assert folder.find(None) is None
    folder.save(5, tensors(5), {})
    assert not half.exists()


def test_a_checkpoint_of_another_configuration_is_not_resumed_from(folder, tmp_path):
    folder.save(5, tensors(5), {})

    assert CheckpointFolder(tmp_path, identity="b", keep=2).find(None) is None


def test_an_older_one_can_be_asked_for_and_what_came_after_it_is_given_up(folder):
    for step in (5, 10):
        folder.save(step, tensors(step), {})

    assert folder.find("step-000005").step == 5
    assert folder.find(None).step == 5


def test_from_scratch_there_is_none(folder):
    folder.save(5, tensors(5), {})

    assert folder.find("scratch") is None
    assert folder.find(None) is None


def test_files_are_readable_by_others(folder):
    path = folder.save(5, tensors(5), {})

    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o644}
