"""What an adapter is registered as."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Rejected
from orchestrator.domain.registered_model import (
    MAX_MODEL_NAME_LENGTH,
    clean_model_name,
    model_name_of,
    require_model_name,
)
from tests.factories import make_job

PERSIAN = "گربه\u200cهای من"  # noqa: RUF001 - a name in Persian, with the joiner it is written with


@pytest.mark.parametrize(
    ("name", "trigger_words", "registered_as"),
    [
        ("my cat", ("sks",), "my cat"),
        (None, ("sks", "cat"), "sks cat"),
        (PERSIAN, (), PERSIAN),
        ("cats/blue\\red", (), "cats-blue-red"),
        ("  my \n cat\x07 ", (), "my cat"),
        ("..", ("sks",), "sks"),
    ],
)
def test_a_job_names_its_model(name, trigger_words, registered_as):
    assert model_name_of(make_job(name=name, trigger_words=trigger_words)) == registered_as


def test_a_job_without_words_names_its_model_by_type_and_id():
    job = make_job()

    assert model_name_of(job) == f"lora-{job.id[:8]}"


def test_a_name_is_bounded():
    assert len(clean_model_name("x" * 500)) == MAX_MODEL_NAME_LENGTH


@pytest.mark.parametrize("name", ["cat", PERSIAN, "a.b", "x" * MAX_MODEL_NAME_LENGTH])
def test_a_name_that_stays_as_it_is_may_be_chosen(name):
    assert require_model_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "a\\b", "..", " cat", "a  b", "a\nb", "x" * (MAX_MODEL_NAME_LENGTH + 1)]
)
def test_any_other_name_is_refused(name):
    with pytest.raises(Rejected) as refused:
        require_model_name(name)
    assert refused.value.code == "MODEL_NAME_INVALID"
