"""The diagnostic job as the program runs it."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator, FormatChecker

from tests.factories import sha256_of
from tests.integration.trainer.conftest import Run
from tests.unit.trainer.documents import diagnostic_document, schema


def test_it_needs_no_base_model_and_reports_as_every_job_does(tmp_path):
    run = Run(tmp_path)
    run.outputs.mkdir()
    (tmp_path / "people.csv").write_text("height,weight\n" + "".join(f"{n},{2 * n + 1}\n" for n in range(40)))
    document = diagnostic_document(
        dataset_path=str(tmp_path), output_path=str(run.outputs), training_params={"epochs": 40, "batch_size": 8}
    )
    (tmp_path / "config.json").write_text(json.dumps(document))

    assert run.finish() == 0, run.log()

    validator = Draft202012Validator(schema("event.v1.json"), format_checker=FormatChecker())
    for event in run.events():
        validator.validate(event)
    phases = [event["phase"] for event in run.events("phase")]
    assert phases == ["load", "preprocess", "train", "evaluate", "register"]
    (result,) = run.events("result")
    assert result["eval_loss_after"] < 0.5 * result["eval_loss_before"]
    assert result["model"]["sha256"] == sha256_of((run.outputs / "model.pt").read_bytes())
