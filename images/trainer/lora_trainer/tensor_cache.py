"""Tensors kept by what they follow from, in a folder that jobs may share at the same time.

An entry is worth time and nothing else: one that is missing, damaged or forged is computed again, and where there is no
room for one there is none.
"""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import diffusers
import safetensors.torch
import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor

from lora_trainer.files import read_limited

MAX_ENTRY_BYTES = 512 * 2**20
DIGEST_BYTES = 32
# Whatever else decides the tensors; another version of any of them may compute others.
PROGRAMS = {"entry": 1, "torch": torch.__version__, "diffusers": diffusers.__version__, "t": transformers.__version__}


class TensorCache:
    def __init__(self, folder: Path, *, origin: str) -> None:
        """`origin` names what computes the tensors: base model, its revision, device and precision."""
        self._folder = folder
        self._origin = origin

    def load(self, *facts: object) -> dict[str, Tensor] | None:
        """What was saved for the same facts, each a JSON value."""
        key = self._key(facts)
        path = self._path(key)
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            content = read_limited(path, MAX_ENTRY_BYTES)
            if content[:DIGEST_BYTES] != _digest(key, content[DIGEST_BYTES:]):
                return None
            return safetensors.torch.load(content[DIGEST_BYTES:])
        except (OSError, ValueError, SafetensorError):
            return None

    def save(self, tensors: Mapping[str, Tensor], *facts: object) -> None:
        """Seen by others whole or not at all; of two that save the same at once, one stays."""
        key = self._key(facts)
        body = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
        if DIGEST_BYTES + len(body) > MAX_ENTRY_BYTES:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._path(key), _digest(key, body) + body)

    def _key(self, facts: tuple[object, ...]) -> str:
        return hashlib.sha256(json.dumps([PROGRAMS, self._origin, *facts]).encode()).hexdigest()

    def _path(self, key: str) -> Path:
        return self._folder / key


def _digest(key: str, body: bytes) -> bytes:
    """Of the entry and its place: one that was moved is damaged too."""
    return hashlib.sha256(key.encode() + body).digest()


def _write(path: Path, content: bytes) -> None:
    descriptor, staging = tempfile.mkstemp(prefix=".staging-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(staging).replace(path)
    except OSError:
        Path(staging).unlink(missing_ok=True)
        raise
