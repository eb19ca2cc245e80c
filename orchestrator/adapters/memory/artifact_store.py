"""ArtifactStore in memory, over the outputs of a MemoryWorkspace."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.memory.workspace import MemoryWorkspace
from orchestrator.domain.artifact import COLLECTED_SUFFIXES, AdapterClaim, ModelClaim
from orchestrator.domain.errors import NotFound, Rejected
from orchestrator.ports.artifact_store import CollectedFile

_FORMATS = ("kohya", "diffusers")
_TEXT_ENCODER_MARKS = (b"lora_te", b"text_encoder")  # a file's header is text


class MemoryArtifactStore:
    """Believes in any file with the claimed hash; `flaws` says, by path, what else is wrong with one."""

    def __init__(self, workspace: MemoryWorkspace) -> None:
        self.flaws: dict[str, str] = {}
        self._workspace = workspace
        self._files: dict[str, dict[str, bytes]] = {}

    @cached_property
    def _on_disk(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="lorry-artifacts-")

    def collect(
        self, job_id: str, suffixes: tuple[str, ...] = COLLECTED_SUFFIXES, *, spared: Collection[str] = ()
    ) -> Sequence[CollectedFile]:
        outputs = self._workspace.outputs.get(job_id, {}).items()
        wanted = [(path, data) for path, data in outputs if path.endswith(suffixes) and path not in spared]
        kept = {path: data for path, data in wanted if data is not None}
        self._files.setdefault(job_id, {}).update(kept)
        return [
            CollectedFile(path=path, size_bytes=len(kept[path]), sha256=_sha256(kept[path])) for path in sorted(kept)
        ]

    def take(self, job_id: str, path: str, *, limit_bytes: int) -> CollectedFile | None:
        data = self._workspace.outputs.get(job_id, {}).get(path)
        if data is None or len(data) > limit_bytes or not path.endswith(COLLECTED_SUFFIXES):
            return None
        self._files.setdefault(job_id, {})[path] = data
        return CollectedFile(path=path, size_bytes=len(data), sha256=_sha256(data))

    def take_folder(self, job_id: str, path: str, *, limit_bytes: int) -> Sequence[CollectedFile]:
        outputs = self._workspace.outputs.get(job_id, {})
        inside = sorted(
            name for name, data in outputs.items() if data is not None and name.rpartition("/")[0] == path != ""
        )
        if sum(len(outputs[name] or b"") for name in inside) > limit_bytes:
            return ()
        taken = [self.take(job_id, name, limit_bytes=limit_bytes) for name in inside]
        return [file for file in taken if file is not None]

    def verify_adapter(self, job_id: str, claim: AdapterClaim, *, adapts_text: bool = False) -> None:
        self._require_claimed(job_id, claim, "adapter")
        if claim.format not in _FORMATS:
            raise Rejected(f"The adapter's format {claim.format} is not known.")
        if claim.path in self.flaws:
            raise Rejected(self.flaws[claim.path])
        if adapts_text and not any(mark in self._bytes(job_id, claim.path) for mark in _TEXT_ENCODER_MARKS):
            raise Rejected("The job asked for layers of the text encoders, and the adapter has none.")

    def verify_model(self, job_id: str, claim: ModelClaim) -> None:
        self._require_claimed(job_id, claim, "model")

    def open(self, job_id: str, path: str) -> BinaryIO:
        return io.BytesIO(self._bytes(job_id, path))

    def locate(self, job_id: str, path: str) -> str:
        """Whoever sends files needs a real one, so this one is written out when it is asked for."""
        data = self._bytes(job_id, path)
        file = Path(self._on_disk.name) / _sha256(f"{job_id}/{path}".encode())
        file.write_bytes(data)
        return str(file)

    def discard(self, job_id: str, path: str) -> None:
        self._files.get(job_id, {}).pop(path, None)

    def remove(self, job_id: str) -> None:
        self._files.pop(job_id, None)

    def _require_claimed(self, job_id: str, claim: AdapterClaim | ModelClaim, noun: str) -> None:
        data = self._files.get(job_id, {}).get(claim.path)
        if data is None:
            raise Rejected(f"The trainer named a file of its {noun}, {claim.path}, that it did not leave.")
        if _sha256(data) != claim.sha256:
            raise Rejected(f"The {noun} file is not the one the trainer reported: its sha256 differs.")

    def _bytes(self, job_id: str, path: str) -> bytes:
        try:
            return self._files[job_id][path]
        except KeyError as error:
            raise NotFound(f"There is no artifact {path}.") from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
