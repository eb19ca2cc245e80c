"""The job configuration file: what is accepted, and that everything wrong with one is said at once."""

from __future__ import annotations

import dataclasses
import json

import pytest

from lora_trainer.config import MAX_CONFIG_BYTES, DiagnosticConfig, DiagnosticParams, TrainingParams, load_config
from lora_trainer.errors import BadConfig
from tests.unit.trainer.documents import diagnostic_document, write_config


def refusal(path):
    with pytest.raises(BadConfig) as caught:
        load_config(path)
    return str(caught.value)


def test_missing_parameters_take_their_defaults(tmp_path):
    config = load_config(write_config(tmp_path, training_params={"steps": 200}))

    assert config.training_params == TrainingParams(steps=200)
    assert config.trigger_words == ("lorry photo",)


def test_every_violation_is_reported_at_once(tmp_path):
    params = {"steps": 99, "resolution": 300, "learning_rate": "fast", "gradient_checkpointing": 1, "colour": "red"}

    message = refusal(write_config(tmp_path, v=2, job_id="7", base_model=None, training_params=params, extra=1))

    for key in ("v:", "job_id:", "base_model: is missing", "extra: unknown key"):
        assert key in message
    for key in params:
        assert f"training_params.{key}:" in message


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        (field.name, rule.low, rule.high)
        for field in dataclasses.fields(TrainingParams)
        if hasattr(rule := getattr(field.metadata["rule"], "rule", field.metadata["rule"]), "low")
    ],
)
def test_a_range_ends_where_it_says(tmp_path, name, low, high):
    also = {"validation_every": 10} if name == "early_stopping_patience" else {}
    for inside in (low, high):
        load_config(write_config(tmp_path, training_params={**also, name: inside}))
    for outside in (low - 1, high + 1, float("nan"), True, str(low)):
        assert f"training_params.{name}: must be" in refusal(write_config(tmp_path, training_params={name: outside}))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[]", "must hold one JSON object"),
        (b" " * (MAX_CONFIG_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, sentence):
    path = tmp_path / "config.json"
    path.write_bytes(content)

    assert sentence in refusal(path)


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.json: cannot be read (No such file" in refusal(tmp_path / "nowhere.json")


def test_dreambooth_needs_a_word_to_call_its_subject_by(tmp_path):
    assert "trigger_words: dreambooth needs" in refusal(write_config(tmp_path, type="dreambooth", trigger_words=[]))


@pytest.mark.parametrize(
    ("changes", "params", "sentence"),
    [
        ({}, {"class_prompt": "a photo of a cat"}, "training_params.prior_preservation: needs type dreambooth"),
        ({"type": "dreambooth"}, {}, "training_params.class_prompt: prior_preservation needs one"),
    ],
)
def test_prior_preservation_needs_a_subject_and_its_class(tmp_path, changes, params, sentence):
    params = {"prior_preservation": True, **params}

    assert sentence in refusal(write_config(tmp_path, training_params=params, **changes))


def test_a_diagnostic_configuration_is_told_by_its_type(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(diagnostic_document(training_params={"epochs": 3})))

    config = load_config(path)

    assert isinstance(config, DiagnosticConfig)
    assert config.training_params == DiagnosticParams(epochs=3)
    assert config.dataset_path is None


def test_every_violation_of_a_diagnostic_configuration_is_reported_at_once(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(diagnostic_document(training_params={"epochs": 0, "lr": 1}, base_model="a/b")))

    message = refusal(path)

    for key in ("training_params.epochs: must be", "training_params.lr: unknown key", "base_model: unknown key"):
        assert key in message


def test_early_stopping_needs_validations(tmp_path):
    message = refusal(write_config(tmp_path, training_params={"early_stopping_patience": 3}))

    assert "early_stopping_patience: needs validation_every" in message
