"""What a submission may say: every range at both ends, and every violation in one answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.training import Option, options
from tests.unit.api.installation import Installation

SUBMIT = "/api/training/submit"
RANGED = [(name, option) for name, (_, option) in options().items() if option.minimum is not None]
INTEGERS = [name for name, (field, _) in options().items() if field.type in ("int", "int | None")]


def step_of(name: str, option: Option) -> float:
    if name in INTEGERS:
        return option.multiple_of or 1
    return 1e-9


def refused(lorry: Installation, body: Any) -> list[dict[str, Any]]:
    """The violations of a refused submission."""
    answer = lorry.client.post(SUBMIT, content=json.dumps(body), headers=lorry.as_user() | JSON)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "VALIDATION_FAILED"
    details: list[dict[str, Any]] = answer.json()["details"]
    return details


JSON = {"Content-Type": "application/json"}
GOES_WITH = {"early_stopping_patience": {"validation_every": 50}}  # what an option needs to mean anything


@pytest.mark.parametrize(("name", "option"), RANGED)
def test_both_ends_of_a_range_are_accepted(lorry: Installation, name: str, option: Option) -> None:
    for end in (option.minimum, option.maximum):
        value = int(end or 0) if name in INTEGERS else end
        body = lorry.body(config={name: value} | GOES_WITH.get(name, {}))
        answer = lorry.client.post(f"{SUBMIT}?dry_run=true", json=body, headers=lorry.as_user())
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["config"][name] == value


@pytest.mark.parametrize(("name", "option"), RANGED)
def test_beyond_both_ends_of_a_range_is_refused(lorry: Installation, name: str, option: Option) -> None:
    assert option.minimum is not None
    assert option.maximum is not None
    step = step_of(name, option)
    for value in (option.minimum - step, option.maximum + step):
        value = int(value) if name in INTEGERS else value  # noqa: PLW2901
        (violation,) = refused(lorry, lorry.body(config={name: value}))
        assert (violation["field"], violation["value"]) == (f"config.{name}", value)


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [256.5, "256", True])
def test_a_whole_number_is_nothing_else(lorry: Installation, name: str, value: object) -> None:
    (violation,) = refused(lorry, lorry.body(config={name: value}))
    assert violation == {"field": f"config.{name}", "message": "must be a whole number", "value": value}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1e-4", True, None, [1e-4]])
def test_a_number_is_finite_and_nothing_else(lorry: Installation, value: object) -> None:
    (violation,) = refused(lorry, lorry.body(config={"learning_rate": value}))
    assert violation["field"] == "config.learning_rate"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset_id", "not-a-uuid"),
        ("dataset_id", 7),
        ("type", "LoRA"),
        ("type", None),
        ("base_model", "no-namespace"),
        ("base_model", "../etc/passwd"),
        ("base_model", "a/b/c"),
        ("name", "x" * 201),
        ("name", ""),
        ("name", "bell\x07"),
        ("name", "nul\x00"),
        ("name", "half a pair \ud800"),
        ("trigger_words", ["w"] * 17),
        ("trigger_words", "sks"),
        ("priority", 3),
        ("priority", -2),
        ("priority", 1.0),
        ("priority", True),
        ("gpus", 0),
        ("gpus", 17),
        ("gpus", 1.0),
        ("gpus", True),
        ("experiment_id", "x"),
    ],
)
def test_a_field_outside_its_range_is_refused(lorry: Installation, field: str, value: object) -> None:
    (violation,) = refused(lorry, lorry.body(**{field: value}))
    assert violation["field"] == field


@pytest.mark.parametrize("word", ["", "x" * 101, "line\nend"])
def test_a_trigger_word_is_short_and_visible(lorry: Installation, word: str) -> None:
    (violation,) = refused(lorry, lorry.body(trigger_words=["fine", word]))
    assert violation["field"] == "trigger_words.1"


@pytest.mark.parametrize("prompts", [["p"] * 9, ["x" * 501], ["nul\x00"], "a cat", [7]])
def test_sample_prompts_are_few_and_short(lorry: Installation, prompts: object) -> None:
    (violation,) = refused(lorry, lorry.body(config={"sample_prompts": prompts}))
    assert violation["field"].startswith("config.sample_prompts")


@pytest.mark.parametrize("prompt", ["", "x" * 501, "nul\x00", ["a dog"], 7])
def test_a_class_prompt_is_one_short_text(lorry: Installation, prompt: object) -> None:
    (violation,) = refused(lorry, lorry.body(config={"class_prompt": prompt}))
    assert violation["field"].startswith("config.class_prompt")


def test_the_longest_texts_are_accepted(lorry: Installation) -> None:
    body = lorry.body(
        name="ن" * 200,
        trigger_words=["و" * 100] * 16,
        priority=-1,
        config={"sample_prompts": ["پ" * 500] * 8, "class_prompt": "پ" * 500, "resolution": 256 + 64},
    )
    assert lorry.client.post(SUBMIT, json=body, headers=lorry.as_user()).status_code == 200


def test_every_violation_is_in_one_answer(lorry: Installation) -> None:
    details = refused(
        lorry,
        {
            "type": "lora",
            "base_model": "lorry/tiny-sd15",
            "config": {"learning_rate": 1, "batch_size": 0, "resolution": 300, "optimizer": "sgd", "learning_rat": 1},
            "name": "x" * 201,
            "surprise": 1,
        },
    )
    assert {detail["field"] for detail in details} == {
        "dataset_id",
        "config.learning_rate",
        "config.batch_size",
        "config.resolution",
        "config.optimizer",
        "config.learning_rat",
        "name",
        "surprise",
    }


def test_unknown_keys_are_refused_by_name_without_their_values(lorry: Installation) -> None:
    details = refused(lorry, lorry.body(password="hunter2", config={"secret": "hunter2"}))
    assert [detail["message"] for detail in details] == ["is not known here"] * 2
    assert "hunter2" not in json.dumps(details)


def test_a_key_that_is_no_unicode_is_refused(lorry: Installation) -> None:
    (violation,) = refused(lorry, lorry.body(config={"x\ud800": "hunter2"}))
    assert violation["field"] == "config"


def test_a_flood_of_violations_is_cut(lorry: Installation) -> None:
    assert len(refused(lorry, lorry.body(**{f"key{number}": 1 for number in range(5_000)}))) == 100


@pytest.mark.parametrize("body", [[], "text", 7, None, {}])
def test_a_body_that_is_no_submission_is_refused(lorry: Installation, body: object) -> None:
    assert refused(lorry, body)


def test_a_body_sent_as_something_else_than_json_is_refused(lorry: Installation) -> None:
    answer = lorry.client.post(SUBMIT, content=json.dumps(lorry.body()), headers=lorry.as_user())
    assert answer.status_code == 400
    assert "Content-Type" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"dataset_id": ', "INVALID_JSON"),
        (b"{'single': 'quotes'}", "INVALID_JSON"),
        (b"\xff\xfe{}", "INVALID_JSON"),
        (b'{"name": "\xff"}', "INVALID_JSON"),
        (b"[" * 100_000, "INVALID_JSON"),
        (b'{"priority": ' + b"9" * 5_000 + b"}", "INVALID_JSON"),
    ],
)
def test_invalid_json_says_so(lorry: Installation, body: bytes, code: str) -> None:
    answer = lorry.client.post(SUBMIT, content=body, headers=lorry.as_user() | JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert answer.json()["ok"] is False


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page_size=201", "page_size=0", "status=done", "sort=name", "state=running", "type=x"],
)
def test_a_list_refuses_queries_it_does_not_know(lorry: Installation, query: str) -> None:
    answer = lorry.client.get(f"/api/training/jobs?{query}", headers=lorry.as_user())
    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"].startswith(query.partition("=")[0])


def test_a_cancellation_refuses_keys_it_does_not_know(lorry: Installation) -> None:
    path = f"/api/training/jobs/{lorry.submit()}/cancel"
    answer = lorry.client.post(path, json={"why": "x"}, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "why")
