"""Which pictures each step sees."""

from __future__ import annotations

from collections import Counter

import pytest

from lora_trainer.order import Order

pytestmark = pytest.mark.trainer


def steps(order, count):
    return [order.at(step) for step in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("sizes", [(1,), (8,), (5, 3), (1, 7, 2)])
def test_after_a_round_every_picture_was_seen_equally_often(sizes, count):
    order = Order(42, "train", sizes, count)

    for rounds in (1, 3):
        seen = Counter((bucket, item) for bucket, items in steps(order, rounds * sum(sizes)) for item in items)
        assert seen == {(b, i): rounds * count for b, size in enumerate(sizes) for i in range(size)}


def test_a_step_takes_its_pictures_from_one_bucket():
    for bucket, items in steps(Order(42, "train", (5, 3), 4), 50):
        assert len(items) == 4
        assert set(items) <= set(range((5, 3)[bucket]))


def test_pictures_of_one_shape_come_once_an_epoch_in_an_order_of_its_own():
    stream = [item for _, items in steps(Order(42, "train", (8,), 3), 8) for item in items]
    epochs = [stream[start : start + 8] for start in range(0, 24, 8)]

    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_order_follows_from_the_seed_and_the_step_alone():
    order = Order(42, "train", (5, 3), 2)
    straight = steps(order, 30)

    assert [order.at(step) for step in range(30, 0, -1)] == straight[::-1]
    assert steps(Order(43, "train", (5, 3), 2), 30) != straight
    assert steps(Order(42, "prior", (5, 3), 2), 30) != straight
