"""What a report finds in facts about pictures, and what it advises."""

from __future__ import annotations

import itertools
import random

import pytest

from orchestrator.domain.buckets import Bucket
from orchestrator.domain.dataset import Approval, Exclusion
from orchestrator.domain.dataset_report import NEAR_DUPLICATE_BITS, Problem, near_duplicates, report_on
from tests.factories import make_item

_hashes = random.Random(1)  # noqa: S311 - pictures, not secrets


def good(number: int = 1, **changes):
    """An item that nothing is wrong with."""
    facts = {
        "file_name": f"{number:05d}.png",
        "caption": f"a cat on sofa {number}",
        "width": 1024,
        "height": 1024,
        "sharpness": 500.0,
        "dhash": f"{_hashes.getrandbits(64):016x}",
    }
    return make_item(**facts | changes)


def several(count: int, **changes):
    return [good(number, **changes) for number in range(count)]


def found(items, resolution=512):
    """Positions of the items of each finding, by problem."""
    place = {item.id: number for number, item in enumerate(items)}
    return {
        finding.problem: [place[item_id] for item_id in finding.item_ids]
        for finding in report_on(items, resolution=resolution).findings
    }


def test_nothing_is_found_in_a_good_dataset():
    report = report_on(several(20), resolution=512)

    assert report.findings == ()
    assert (report.item_count, report.trainable_count, report.excluded_items) == (20, 20, {})
    assert (report.recommended_steps, report.repeats) == (2000, 100.0)


@pytest.mark.parametrize(
    ("changes", "one", "many"),
    [
        ({"width": 500, "height": 500}, "1 item is smaller than", "2 items are smaller than"),
        ({"sharpness": 7.5}, "1 item has no sharp edge", "2 items have no sharp edge"),
        ({"caption": None}, "1 item has no caption.", "2 items have no caption."),
        ({"caption": "cat " * 101}, "1 item has a caption of more", "2 items have captions of more"),
        ({"caption": "..."}, "1 item has a caption with", "2 items have captions with"),
    ],
)
def test_one_item_is_spoken_of_as_one(changes, one, many):
    for count, message in ((1, one), (2, many)):
        odd = [good(number, **changes) for number in range(3, 3 + count)]
        (finding,) = report_on([*several(3), *odd], resolution=512).findings
        assert finding.message.startswith(message)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"width": 500, "height": 2000}, None),
        ({"width": 500, "height": 500}, Problem.TOO_SMALL),
        ({"sharpness": 7.5}, Problem.BLURRED),
        ({"sharpness": 20.0}, None),
        ({"caption": None}, Problem.NO_CAPTION),
        ({"caption": "cat " * 101}, Problem.LONG_CAPTION),
        ({"caption": "a c\ufffdt"}, Problem.ODD_CAPTION),
        ({"caption": "\ue000 cat"}, Problem.ODD_CAPTION),
        ({"caption": "..."}, Problem.ODD_CAPTION),
        ({"caption": "گربه‌ی من"}, None),
        ({"caption": "猫"}, None),
    ],
)
def test_an_item_with_a_problem_is_named(changes, problem):
    items = [*several(3), good(3, **changes)]

    assert found(items) == ({problem: [3]} if problem else {})


def test_captions_that_say_all_the_same_are_found():
    assert found(several(3, caption="a cat")) == {Problem.SAME_CAPTION: [0, 1, 2]}
    assert found(several(1, caption="a cat")) == {}


def test_whether_a_picture_is_too_small_depends_on_the_resolution():
    item = good(width=600, height=600)

    assert found([item], resolution=512) == {}
    assert found([item], resolution=640) == {Problem.TOO_SMALL: [0]}


def test_pictures_that_look_alike_are_grouped_and_others_are_not():
    value = 0x0123456789ABCDEF
    near = value ^ (2**NEAR_DUPLICATE_BITS - 1) << 20
    far = value ^ (2 ** (NEAR_DUPLICATE_BITS + 1) - 1)
    items = [good(number, dhash=f"{each:016x}") for number, each in enumerate((value, far, near, value))]

    assert [[item.file_name for item in group] for group in near_duplicates(items)] == [
        ["00000.png", "00002.png", "00003.png"]
    ]


def test_of_pictures_that_look_alike_the_largest_stays():
    value = f"{0x0123456789ABCDEF:016x}"
    small, large, another = good(1, dhash=value), good(2, dhash=value, width=2048, height=2048), good(3)

    (finding,) = report_on([small, large, another], resolution=512).findings

    assert finding.surplus_ids == (small.id,)


def test_what_every_picture_has_is_not_cured_by_leaving_them_out():
    (finding,) = report_on([good(1, sharpness=1.0)], resolution=512).findings
    assert finding.surplus_ids == ()


@pytest.mark.parametrize("seed", range(5))
def test_bands_find_every_pair_that_comparing_all_would(seed):
    numbers = random.Random(seed)  # noqa: S311
    values = [numbers.getrandbits(64) for _ in range(30)]
    for value in values[:20]:
        for bit in numbers.sample(range(64), numbers.randint(0, 8)):
            value ^= 1 << bit  # noqa: PLW2901 - that is how far it strays
        values.append(value)
    items = [good(number, dhash=f"{value:016x}") for number, value in enumerate(values)]

    together = [{item.id for item in group} for group in near_duplicates(items)]

    for (one, left), (other, right) in itertools.combinations(zip(items, values, strict=True), 2):
        if (left ^ right).bit_count() <= NEAR_DUPLICATE_BITS:
            assert any({one.id, other.id} <= group for group in together)


def test_what_was_not_measured_is_not_judged():
    assert found([good(1, sharpness=None, dhash=None), good(2, sharpness=None, dhash=None)]) == {}


def test_items_are_counted_by_the_shape_they_are_trained_in():
    items = [good(1), good(2), good(3, width=2048, height=1024)]

    assert report_on(items, resolution=512).buckets == {Bucket(512, 512): 2, Bucket(704, 384): 1}


def test_only_items_that_may_be_trained_on_are_judged():
    items = [good(1), good(2, sharpness=1.0, approval=Approval.REJECTED), good(3, prohibited_uses=("training",))]

    report = report_on(items, resolution=512)

    assert (report.item_count, report.trainable_count, report.findings) == (3, 1, ())
    assert report.excluded_items == {Exclusion.NOT_APPROVED: 1, Exclusion.PROHIBITED: 1}


def test_every_advice_has_its_reason_and_every_problem_its_advice():
    items = [
        *several(2, caption="same", dhash="0" * 16, width=100, height=100, sharpness=1.0),
        good(5, caption=None),
        good(6, caption="x" * 500),
        good(7, caption="?"),
    ]
    report = report_on(items, resolution=512)

    assert len({finding.problem for finding in report.findings}) == 6
    assert len(report.advice) == 6 + 2
    assert all(each.advice.endswith(".") and each.reason.endswith(".") for each in report.advice)


def test_nothing_to_train_on_is_an_answer_too():
    report = report_on([good(1, approval=Approval.PENDING)], resolution=512)

    assert (report.trainable_count, report.recommended_steps, report.repeats) == (0, None, None)
    assert [each.advice for each in report.advice] == ["Approve items and allow them for training."]


@pytest.mark.parametrize(("count", "steps"), [(1, 500), (5, 500), (20, 2000), (100, 4000)])
def test_the_steps_grow_with_the_items_between_bounds(count, steps):
    assert report_on(several(count), resolution=512).recommended_steps == steps


def test_five_thousand_pictures_that_look_alike_are_judged_in_a_moment():
    items = [good(number, dhash=f"{number % 2:016x}") for number in range(5_000)]

    assert len(report_on(items, resolution=512).findings) == 1
