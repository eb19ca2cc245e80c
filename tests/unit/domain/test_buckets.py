"""The shapes that a report foretells are the ones that the trainer trains in."""

from __future__ import annotations

import pytest

from lora_trainer import buckets as trainers
from orchestrator.domain.buckets import bucket_for, buckets

RESOLUTIONS = range(256, 1025, 64)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_the_shapes_of_a_resolution_are_the_trainers(resolution):
    assert [tuple(bucket) for bucket in buckets(resolution)] == [
        (bucket.width, bucket.height) for bucket in trainers.buckets(resolution)
    ]


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("size", [(1, 1), (4000, 3000), (3000, 4000), (1920, 1080), (100, 5000), (641, 640), (7, 1000)])
def test_a_picture_is_put_where_the_trainer_puts_it(resolution, size):
    expected = trainers.bucket_for(size, resolution)
    assert tuple(bucket_for(*size, resolution)) == (expected.width, expected.height)
