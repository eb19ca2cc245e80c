"""Reading the parts of a model folder: safetensors only, offline, every weight accounted for."""

import json
from pathlib import Path
from typing import Any

import torch

from lora_trainer.errors import UnusableBaseModel, summarise


def load_part(model_class: Any, folder: Path, part: str, device: torch.device, **dtype: torch.dtype) -> Any:
    """A frozen model on `device`. Without a dtype diffusers would load half-precision weights as float32."""
    try:
        model, report = model_class.from_pretrained(
            folder, subfolder=part, use_safetensors=True, local_files_only=True, output_loading_info=True, **dtype
        )
    except (OSError, ValueError, KeyError, RuntimeError) as exc:
        raise UnusableBaseModel(f"base model's {part}/ cannot be loaded: {exc}") from exc
    if report["missing_keys"]:  # they would stay random, and only a warning would say so
        raise UnusableBaseModel(f"base model's {part}/ lacks weights: {summarise(sorted(report['missing_keys']))}")
    return model.to(device).requires_grad_(requires_grad=False).eval()


def load_tokenizer(tokenizer_class: Any, folder: Path, part: str) -> Any:
    """Callers check what they get: transformers answers a missing one with a two-word stub (its issue 45538)."""
    try:
        return tokenizer_class.from_pretrained(folder, subfolder=part, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise UnusableBaseModel(f"base model's {part}/ cannot be loaded: {exc}") from exc


def read_scheduler_config(folder: Path) -> dict[str, Any]:
    path = folder / "scheduler" / "scheduler_config.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as exc:
        raise UnusableBaseModel(f"base model's scheduler/{path.name} cannot be read: {exc}") from exc
