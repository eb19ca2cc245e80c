"""What every ThumbnailStore does."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.ports.thumbnail_store import ThumbnailStore
from tests.factories import make_artifact, noise_bytes, picture_bytes

JOB = "7f9c1d7e-0000-4000-8000-000000000003"
Keep = Callable[[str, bytes], None]


def sample(path="samples/one.png"):
    return make_artifact(job_id=JOB, kind=ArtifactKind.SAMPLE, path=path)


def huge_bytes() -> bytes:
    """Of more pixels than are shown, in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (8_000, 6_000)).save(file, format="PNG")
    return file.getvalue()


class ThumbnailStoreContract:
    @pytest.fixture
    def store(self) -> ThumbnailStore:
        raise NotImplementedError

    @pytest.fixture
    def keep(self) -> Keep:
        """`keep(path, data)`: a file of JOB was collected."""
        raise NotImplementedError

    def test_a_small_copy_has_the_picture_s_proportions_and_little_else(self, store, keep):
        large, small = sample("samples/large.png"), sample("samples/small.webp")
        keep(large.path, noise_bytes(1024, 512))
        keep(small.path, picture_bytes(64, 64, file_format="WEBP"))

        assert store.make([large, small]) == {large.id: True, small.id: True}

        sizes = []
        for each in (large, small):
            with Image.open(store.locate(each)) as picture:
                sizes.append((picture.format, picture.size))
        assert sizes == [("JPEG", (320, 160)), ("JPEG", (64, 64))]
        assert Path(store.locate(large)).stat().st_size < 64 * 1024

    @pytest.mark.parametrize("data", [b"", b"no picture", noise_bytes(64, 64)[:2_000], huge_bytes()], ids=len)
    def test_of_what_cannot_be_shown_there_is_no_small_copy(self, store, keep, data):
        broken, whole = sample("samples/broken.png"), sample("samples/whole.png")
        keep(broken.path, data)
        keep(whole.path, picture_bytes())

        assert store.make([broken, whole]) == {broken.id: False, whole.id: True}
        assert store.locate(broken) is None

    def test_a_picture_that_is_gone_is_none_to_show(self, store):
        gone = sample()

        assert store.make([gone]) == {gone.id: False}
        assert store.locate(gone) is None

    def test_making_one_again_changes_nothing(self, store, keep):
        one = sample()
        keep(one.path, picture_bytes())

        assert store.make([one]) == store.make([one]) == {one.id: True}
        assert store.locate(one) is not None
