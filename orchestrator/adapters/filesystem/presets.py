"""PresetStore on a folder of YAML files, one a preset and named after it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from orchestrator.domain.preset import Preset
from orchestrator.domain.training import TrainingConfig, options

_CONFIG = TypeAdapter(TrainingConfig)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    description: str
    config: dict[str, Any]


class FilesystemPresetStore:
    """Raises ValueError for a file that is no preset: an installation with a broken one does not start."""

    def __init__(self, folder: Path) -> None:
        self._presets = tuple(_parse(path) for path in sorted(folder.glob("*.yaml")))

    def presets(self) -> Sequence[Preset]:
        return self._presets


def _parse(path: Path) -> Preset:
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        config = _checked(file.config)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is not a preset: {error}") from error
    return Preset(name=path.stem, title=file.title, description=file.description, config=config)


def _checked(config: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError for an option that does not exist, and for a value that no submission could have."""
    known = options()
    unknown = config.keys() - known.keys()
    if unknown:
        raise ValueError(f"there is no option {', '.join(sorted(unknown))}")
    checked = _CONFIG.validate_python(config)
    values = {name: getattr(checked, name) for name in config}
    for name, value in values.items():
        if not known[name][1].admits(value):
            raise ValueError(f"{name} is out of its range: {value!r}")
    return values
