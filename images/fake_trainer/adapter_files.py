"""Small adapter files in both formats, valid unless asked otherwise, written without numpy."""

import hashlib
import json
import math
import random
import struct
from array import array
from collections.abc import Callable
from pathlib import Path

MODULES = (
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k",
)
TEXT_MODULES = (
    "text_model.encoder.layers.0.self_attn.q_proj",
    "text_model.encoder.layers.0.self_attn.k_proj",
)
WIDTH = 32  # channels of the imaginary base model

Tensors = dict[str, tuple[list[int], list[float]]]  # name -> shape, values
Weight = Callable[[], float]


def weight_source(fault: str, seed: int) -> Weight:
    numbers = random.Random(seed)  # noqa: S311 - imitation weights
    sources: dict[str, Weight] = {"nan": lambda: math.nan, "zero": lambda: 0.0}
    return sources.get(fault, lambda: numbers.gauss(0.0, 0.02))


def layers(*, adapts_text: bool) -> list[tuple[str, str]]:
    """(name in kohya's format, name in diffusers') of each adapted layer, as of Stable Diffusion 1.x."""
    networks = [("lora_unet", "unet", MODULES), *([("lora_te", "text_encoder", TEXT_MODULES)] if adapts_text else [])]
    return [
        (f"{kohya}_{module.replace('.', '_')}", f"{diffusers}.{module}")
        for kohya, diffusers, modules in networks
        for module in modules
    ]


def kohya_tensors(rank: int, alpha: float, weight: Weight, *, adapts_text: bool) -> Tensors:
    tensors: Tensors = {}
    for name, _ in layers(adapts_text=adapts_text):
        tensors[f"{name}.lora_down.weight"] = _matrix(rank, WIDTH, weight)
        tensors[f"{name}.lora_up.weight"] = _matrix(WIDTH, rank, weight)
        tensors[f"{name}.alpha"] = ([], [alpha])
    return tensors


def diffusers_tensors(rank: int, weight: Weight, *, adapts_text: bool) -> Tensors:
    tensors: Tensors = {}
    for _, name in layers(adapts_text=adapts_text):
        tensors[f"{name}.lora_A.weight"] = _matrix(rank, WIDTH, weight)
        tensors[f"{name}.lora_B.weight"] = _matrix(WIDTH, rank, weight)
    return tensors


def write_safetensors(path: Path, tensors: Tensors, metadata: dict[str, str]) -> None:
    """The layout: little-endian u64 length of the header, JSON header, the tensors' bytes one after another."""
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, (shape, values) in tensors.items():
        start, end = end, end + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = b"".join(array("f", values).tobytes() for _, values in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def describe(path: Path, outputs: Path, adapter_format: str) -> dict[str, object]:
    """An entry of the result event's `adapters`."""
    data = path.read_bytes()
    return {
        "path": str(path.relative_to(outputs)),
        "format": adapter_format,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
    }


def _matrix(rows: int, columns: int, weight: Weight) -> tuple[list[int], list[float]]:
    return [rows, columns], [weight() for _ in range(rows * columns)]
