"""Judging an adapter file nobody trusts: a safetensors header, then the weights themselves.

The format: little-endian u64 length of the header, a JSON header of name -> dtype, shape, data_offsets, then the data
without gaps. safetensors files hold no code, so reading one runs nothing.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from orchestrator.domain.errors import Rejected

_MAX_HEADER_BYTES = 16 * 1024**2
_MAX_TENSORS = 50_000
_MAX_DIMENSIONS = 4
_CHUNK_VALUES = 4 * 1024**2
_ITEM_BYTES = {"F32": 4, "F16": 2, "BF16": 2}

# For each format the endings of the two factors of one low-rank update, and of its alpha where the format has one.
_FACTORS = {
    "kohya": ((".lora_down.weight", ".lora_up.weight"),),
    "diffusers": ((".lora_A.weight", ".lora_B.weight"), (".lora.down.weight", ".lora.up.weight")),
}
_ALPHA = {"kohya": ".alpha", "diffusers": None}
# For each format what the names of a text encoder's layers begin with.
_TEXT_ENCODER = {"kohya": "lora_te", "diffusers": "text_encoder"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor stands in the file; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def check_adapter_file(path: Path, file_format: str, *, adapts_text: bool = False) -> None:
    """Raises Rejected, saying what is wrong, unless `path` holds an adapter that changes a model.

    With `adapts_text` it must have layers of the model's text encoders.
    """
    if file_format not in _FACTORS:
        raise Rejected(f"The adapter's format {file_format[:40]!r} is not known; known are kohya and diffusers.")
    with path.open("rb") as file:
        tensors, data_start = _read_header(file.read(8 + _MAX_HEADER_BYTES), path.stat().st_size)
    pairs = _paired(tensors, file_format)
    if adapts_text and not any(down.name.startswith(_TEXT_ENCODER[file_format]) for down, _ in pairs):
        raise Rejected("The job asked for layers of the text encoders, and the adapter has none.")
    peaks = {tensor.name: _peak(path, tensor, data_start) for tensor in tensors.values()}
    if not any(peaks[down.name] and peaks[up.name] for down, up in pairs):
        raise Rejected("Every weight of the adapter is zero, so it would change nothing.")


def _read_header(start: bytes, size_bytes: int) -> tuple[dict[str, Tensor], int]:
    """All tensors by name, and where their data begins."""
    length = struct.unpack("<Q", start[:8])[0] if len(start) >= 8 else 0  # noqa: PLR2004 - the length's own size
    if not 0 < length <= min(_MAX_HEADER_BYTES, size_bytes - 8):
        raise Rejected("The adapter file has no safetensors header, or it is cut off.")
    try:
        header = json.loads(start[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise Rejected("The adapter file's safetensors header is not JSON.") from error
    if not isinstance(header, dict) or len(header) > _MAX_TENSORS:
        raise Rejected("The adapter file's safetensors header does not list its tensors.")
    tensors = {name: _tensor(name, entry) for name, entry in header.items() if name != "__metadata__"}
    _require_whole(tensors, size_bytes - 8 - length)
    return tensors, 8 + length


def _tensor(name: str, entry: Any) -> Tensor:
    """Raises Rejected unless an entry's type, shape and offsets agree with each other."""
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise Rejected(f"The adapter's tensor {name[:200]} is neither F32, F16 nor BF16.")
    if not _are_counts(shape) or len(shape) > _MAX_DIMENSIONS or not _are_counts(offsets) or len(offsets) != 2:  # noqa: PLR2004
        raise Rejected(f"The adapter's tensor {name[:200]} has no proper shape or offsets.")
    begin, end = offsets
    if end - begin != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise Rejected(f"The adapter's tensor {name[:200]} does not have the size that its shape needs.")
    return Tensor(name, dtype, tuple(shape), begin, end)


def _are_counts(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)


def _require_whole(tensors: dict[str, Tensor], data_bytes: int) -> None:
    """The tensors must cover the data exactly: no gap to hide something in, no overlap, nothing cut off."""
    position = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != position:
            raise Rejected("The adapter file's tensors overlap or leave gaps.")
        position = tensor.end
    if position != data_bytes:
        raise Rejected("The adapter file is cut off, or has more data than its header lists.")


def _paired(tensors: dict[str, Tensor], file_format: str) -> list[tuple[Tensor, Tensor]]:
    """The (down, up) factors of every adapted layer. Raises Rejected for an incomplete layer or a foreign key."""
    pairs: list[tuple[Tensor, Tensor]] = []
    expected: set[str] = set()
    for down_ending, up_ending in _FACTORS[file_format]:
        for name in [name for name in tensors if name.endswith(down_ending)]:
            layer = name.removesuffix(down_ending)
            wanted = {name, layer + up_ending}
            if alpha := _ALPHA[file_format]:
                wanted.add(layer + alpha)
            if not wanted <= tensors.keys():
                raise Rejected(f"The adapter's layer {layer[:200]} is incomplete for the {file_format} format.")
            expected |= wanted
            pairs.append(_fitting(layer, tensors[name], tensors[layer + up_ending]))
    if not pairs or expected != tensors.keys():
        raise Rejected(f"The adapter file does not have the keys of the {file_format} format.")
    return pairs


def _fitting(layer: str, down: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """Both factors if they share a rank: the first axis of down, the second of up."""
    if len(down.shape) < 2 or len(up.shape) < 2 or down.shape[0] != up.shape[1]:  # noqa: PLR2004
        raise Rejected(f"The adapter's layer {layer[:200]} has factors of different rank.")
    return down, up


def _peak(path: Path, tensor: Tensor, data_start: int) -> float:
    """The largest magnitude in a tensor; raises Rejected when a value is not finite."""
    peak = 0.0
    for values in _chunks(path, tensor, data_start):
        if not np.isfinite(values).all():
            raise Rejected(f"The adapter's tensor {tensor.name[:200]} holds values that are not finite.")
        peak = max(peak, float(np.abs(values).max(initial=0.0)))
    return peak


def _chunks(path: Path, tensor: Tensor, data_start: int) -> Iterator[NDArray[Any]]:
    """A tensor's values in pieces, so that memory use does not grow with the file."""
    step = _CHUNK_VALUES * _ITEM_BYTES[tensor.dtype]
    with path.open("rb") as file:
        for begin in range(tensor.begin, tensor.end, step):
            file.seek(data_start + begin)
            yield _decoded(file.read(min(step, tensor.end - begin)), tensor.dtype)


def _decoded(data: bytes, dtype: str) -> NDArray[Any]:
    if dtype == "BF16":  # the upper half of a 32-bit float
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, "<f4" if dtype == "F32" else "<f2")
