"""Which items may be trained on, and what a version is made of."""

from __future__ import annotations

import itertools

import pytest

from orchestrator.domain.dataset import (
    Approval,
    Exclusion,
    clean_caption,
    content_digest,
    exclusion_sentence,
    select_for_training,
    version_of,
)
from tests.factories import NOW, make_item


def test_an_uploaded_item_may_be_trained_on():
    assert make_item().exclusion is None


@pytest.mark.parametrize(
    ("changes", "exclusion"),
    [
        ({"approval": Approval.PENDING}, Exclusion.NOT_APPROVED),
        ({"approval": Approval.REJECTED}, Exclusion.NOT_APPROVED),
        ({"prohibited_uses": ("training",)}, Exclusion.PROHIBITED),
        ({"allowed_uses": ()}, Exclusion.NOT_ALLOWED),
        ({"allowed_uses": ("display",)}, Exclusion.NOT_ALLOWED),
        ({"allowed_uses": ("display", "training"), "prohibited_uses": ("resale",)}, None),
    ],
)
def test_either_gate_keeps_an_item_out(changes, exclusion):
    assert make_item(**changes).exclusion is exclusion


def test_an_item_is_selected_only_when_all_three_conditions_hold():
    approvals, allowed, prohibited = list(Approval), [(), ("training",)], [(), ("training",)]
    items = [
        make_item(approval=approval, allowed_uses=may, prohibited_uses=must_not)
        for approval, may, must_not in itertools.product(approvals, allowed, prohibited)
    ]

    selection = select_for_training(items)

    assert [(item.approval, item.allowed_uses, item.prohibited_uses) for item in selection.items] == [
        (Approval.LABELED, ("training",), ())
    ]
    assert selection.excluded == {Exclusion.NOT_APPROVED: 8, Exclusion.PROHIBITED: 2, Exclusion.NOT_ALLOWED: 1}
    assert len(selection.items) + sum(selection.excluded.values()) == len(items)


def test_what_was_left_out_is_said_in_words():
    selection = select_for_training([make_item(approval=Approval.PENDING), make_item(prohibited_uses=("training",))])

    assert exclusion_sentence(selection.excluded) == "1 not approved, 1 prohibited for training"
    assert exclusion_sentence({}) == ""


def test_equal_content_has_equal_digests_whatever_its_names_and_order():
    one, two = make_item(file_name="1.png"), make_item(file_name="2.png", sha256="1" * 64)

    assert content_digest([one, two]) == content_digest([two, one])
    assert content_digest([one]) == content_digest([make_item(original_name="other.png")])
    assert content_digest([one]) == content_digest([make_item(approval=Approval.PENDING)])
    assert content_digest([one]) != content_digest([make_item(caption="another cat")])


def test_a_version_is_its_items_in_file_order():
    second, first = make_item(file_name="2.png"), make_item(file_name="1.png", caption=None)

    version = version_of("d", [second, first], at=NOW)

    assert [item.id for item in version.items] == [first.id, second.id]
    assert version.sha256 == content_digest([first, second])


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        (" a  cat \n on\ta sofa ", "a cat on a sofa"),
        ("\x00\x1b \r\n", None),
        ("", None),
        ("گربه‌ی\x00 من", "گربه‌ی من"),
    ],
)
def test_a_caption_is_one_line_without_control_characters(text, caption):
    assert clean_caption(text) == caption
