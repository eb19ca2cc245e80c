"""Job configurations and inputs for the trainer: valid by default, override the one thing a test is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PHOTOGRAPHS = ROOT / "configs" / "samples" / "photographs"
SCHEMAS = ROOT / "configs" / "schemas"
TRAINER = ROOT / "images" / "trainer"


def job_document(**changes: Any) -> dict[str, Any]:
    """The content of a job configuration file; None takes a key out."""
    document: dict[str, Any] = {
        "v": 1,
        "job_id": "11111111-1111-4111-8111-111111111111",
        "attempt": 1,
        "name": "nine photographs",
        "type": "lora",
        "dataset_path": "/workspace/datasets",
        "base_model": "lorry/tiny-sd15",
        "base_model_path": "/workspace/models/lorry--tiny-sd15",
        "base_model_revision": "builtin-1",
        "output_path": "/workspace/outputs",
        "device": "cpu",
        "trigger_words": ["lorry photo"],
        "training_params": {},
        "lineage": {"lorry.job_id": "11111111-1111-4111-8111-111111111111"},
    }
    return {key: value for key, value in (document | changes).items() if value is not None}


def diagnostic_document(**changes: Any) -> dict[str, Any]:
    """The content of a diagnostic job's configuration file; None takes a key out."""
    job = job_document()
    kept = ("v", "job_id", "attempt", "name", "output_path", "device", "training_params")
    document = {key: job[key] for key in kept} | {"type": "diagnostic"}
    return {key: value for key, value in (document | changes).items() if value is not None}


def write_config(folder: Path, **changes: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(job_document(**changes)), encoding="utf-8")
    return path


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return document
