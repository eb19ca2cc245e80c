"""Three places name the options: the server's domain, the schema, the trainer. They agree; so do events."""

from __future__ import annotations

import dataclasses

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from lora_trainer.config import DiagnosticConfig, DiagnosticParams, JobConfig, TrainingParams
from lora_trainer.rules import Choice, Flag, Nullable, Number, Text, Texts, Whole
from orchestrator.domain.job_config import build_job_config
from orchestrator.domain.training import TrainingType, options
from tests.factories import make_job, make_model
from tests.unit.trainer.documents import diagnostic_document, job_document, schema

CONFIG = schema("job-config.v1.json")
PARAMS = CONFIG["properties"]["training_params"]["properties"]
DIAGNOSTIC = schema("diagnostic-config.v1.json")
JSON_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "tuple[str, ...]": "array"}
config_validator = Draft202012Validator(CONFIG, format_checker=FormatChecker())
event_validator = Draft202012Validator(schema("event.v1.json"), format_checker=FormatChecker())


def without_description(entry):
    return {key: value for key, value in entry.items() if key != "description"}


def schema_of_rule(rule):
    match rule:
        case Nullable(inner):
            entry = schema_of_rule(inner)
            return entry | {"type": [entry["type"], "null"]}
        case Number(low, high):
            return {"type": "number", "minimum": low, "maximum": high}
        case Whole(low, high, multiple_of):
            multiple = {"multipleOf": multiple_of} if multiple_of > 1 else {}
            return {"type": "integer", "minimum": low, "maximum": high} | multiple
        case Choice(values):
            return {"enum": list(values)}
        case Flag():
            return {"type": "boolean"}
        case Text(max_length, min_length):
            return {"type": "string", "minLength": min_length, "maxLength": max_length}
        case Texts(max_items, item):
            text = {"type": "string", "minLength": item.min_length, "maxLength": item.max_length}
            return {"type": "array", "maxItems": max_items, "items": text}


def schema_of_option(field, option):
    if option.choices:
        return {"enum": list(option.choices)}
    name, _, null = str(field.type).partition(" | ")
    if name == "tuple[str, ...]":
        text = {"type": "string", "minLength": 1, "maxLength": option.max_text_length}
        return {"type": "array", "maxItems": option.maximum, "items": text}
    bounds = {"minimum": option.minimum, "maximum": option.maximum, "multipleOf": option.multiple_of}
    if name == "str":
        bounds = {"minLength": 1, "maxLength": option.max_text_length}
    kind = {"type": [JSON_TYPES[name], "null"] if null else JSON_TYPES[name]}
    return kind | {key: value for key, value in bounds.items() if value is not None}


def plain(default):
    return list(default) if isinstance(default, tuple) else default


def test_the_schemas_are_schemas():
    Draft202012Validator.check_schema(CONFIG)
    Draft202012Validator.check_schema(DIAGNOSTIC)
    Draft202012Validator.check_schema(schema("event.v1.json"))


@pytest.mark.parametrize(
    ("params", "entries"),
    [(TrainingParams, PARAMS), (DiagnosticParams, DIAGNOSTIC["properties"]["training_params"]["properties"])],
    ids=["job", "diagnostic"],
)
def test_the_trainer_has_the_schemas_ranges_and_defaults(params, entries):
    fields = dataclasses.fields(params)

    assert {
        field.name: schema_of_rule(field.metadata["rule"]) | {"default": plain(field.default)} for field in fields
    } == {name: without_description(entry) for name, entry in entries.items()}


def test_the_server_has_the_schemas_ranges_and_defaults():
    assert {
        name: schema_of_option(field, option) | {"default": plain(field.default)}
        for name, (field, option) in options().items()
    } == {name: without_description(entry) for name, entry in PARAMS.items()}


@pytest.mark.parametrize(
    ("config", "document", "optional"),
    [
        (JobConfig, CONFIG, {"resume_from", "continues_from", "cache_path"}),
        (DiagnosticConfig, DIAGNOSTIC, {"dataset_path"}),
    ],
    ids=["job", "diagnostic"],
)
def test_the_trainer_has_the_schemas_keys(config, document, optional):
    assert {field.name for field in dataclasses.fields(config)} == set(document["properties"])
    assert set(document["properties"]) - set(document["required"]) == optional


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type": TrainingType.DREAMBOOTH, "trigger_words": ("sks cat",), "name": "گربه"},
        {"gpu_ids": ("GPU-1",)},
        {"continues": "7", "continues_from": "step-000500"},
    ],
    ids=["plain", "dreambooth", "gpu", "continued"],
)
def test_what_the_orchestrator_writes_is_valid(changes):
    config_validator.validate(build_job_config(make_job(attempt=1, **changes), make_model(), {"lorry.job_id": "7"}))


@pytest.mark.parametrize(
    "changes",
    [{"v": 2}, {"job_id": "7"}, {"training_params": {"steps": 99}}, {"training_params": {"prior": 1}}, {"extra": 1}],
    ids=str,
)
def test_the_schema_refuses_what_the_trainer_refuses(changes):
    assert config_validator.is_valid(job_document())
    assert not config_validator.is_valid(job_document(**changes))


EVENTS = {
    "phase": {"phase": "train"},
    "progress": {
        "step": 1,
        "total_steps": 100,
        "epoch": 1,
        "total_epochs": 12,
        "progress": 1.0,
        "eta_seconds": None,
        "train_count": 8,
        "val_count": 1,
    },
    "metrics": {"step": 1, "epoch": 1, "loss": 0.5, "learning_rate": 1e-4, "throughput": 3.5},
    "sample": {"step": 1, "path": "samples/step-000001-0.png", "prompt": "گربه", "seed": 42},
    "checkpoint": {"step": 1, "path": "checkpoints/step-000001"},
    "warning": {"message": "1 images have no caption: cat.png"},
    "result": {
        "adapters": [{"path": "cat.safetensors", "format": "kohya", "sha256": "0" * 64, "size_bytes": 1}],
        "steps": 100,
        "train_count": 8,
        "val_count": 1,
        "eval_loss_before": 1.3,
        "eval_loss_after": 1.0,
        "reload_error": 0.0,
        "picture_change": 0.1,
    },
    "error": {"code": "bad_config", "message": "config.json: v: must be 1, got 2"},
}


def event(kind, **fields):
    return {"v": 1, "type": kind, "at": "2026-01-01T00:00:00.000Z", **fields}


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_is_valid_with_its_fields_and_not_without_one(kind):
    event_validator.validate(event(kind, **EVENTS[kind]))
    event_validator.validate(event(kind, **EVENTS[kind], a_later_field={"x": 1}))
    for missing in EVENTS[kind]:
        rest = {name: value for name, value in EVENTS[kind].items() if name != missing}
        assert not event_validator.is_valid(event(kind, **rest)), missing


def test_each_kind_of_configuration_is_valid_by_its_own_schema_alone():
    diagnostic = Draft202012Validator(DIAGNOSTIC, format_checker=FormatChecker())

    diagnostic.validate(diagnostic_document(dataset_path="/workspace/datasets"))
    assert not diagnostic.is_valid(job_document())
    assert not config_validator.is_valid(diagnostic_document())


def test_a_diagnostic_job_reports_a_model_instead_of_adapters():
    losses = {"eval_loss_before": 1.0, "eval_loss_after": 0.1}
    counts = {"steps": 40, "train_count": 230, "val_count": 26}
    model = {"path": "model.pt", "sha256": "0" * 64, "size_bytes": 1}

    event_validator.validate(event("result", **losses, **counts, model=model))
    assert not event_validator.is_valid(event("result", **losses, **counts))
    assert not event_validator.is_valid(event("result", **losses, **counts, model={"path": "/model.pt"}))


def test_an_unknown_type_is_accepted():
    event_validator.validate(event("a_later_type", anything=1))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_a_path_that_leaves_the_outputs_is_not_valid(path):
    assert not event_validator.is_valid(event("checkpoint", step=1, path=path))


def test_an_event_needs_its_version_and_an_instant_in_utc():
    assert not event_validator.is_valid({"type": "x", "at": "2026-01-01T00:00:00Z"})
    assert not event_validator.is_valid(event("x") | {"at": "2026-01-01T00:00:00+01:00"})
