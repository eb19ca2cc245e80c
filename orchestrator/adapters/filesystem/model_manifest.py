"""What lies beside the files of a fetched model: which commit they are, and what each has to be."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.domain.model import ModelFile, ModelSnapshot

NAME = "lorry-model.json"


class ModelManifest(BaseModel):
    model_config = ConfigDict(frozen=True)

    model: str
    revision: str
    fetched_at: datetime
    files: tuple[ModelFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def write_manifest(folder: Path, model_id: str, snapshot: ModelSnapshot, *, at: datetime) -> None:
    manifest = ModelManifest(model=model_id, revision=snapshot.revision, fetched_at=at, files=snapshot.files)
    content: dict[str, Any] = manifest.model_dump(mode="json", exclude_none=True)
    (folder / NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> ModelManifest | None:
    """None for a folder without one that can be read: somebody put it there."""
    try:
        return ModelManifest.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None
