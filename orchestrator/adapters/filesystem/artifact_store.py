"""ArtifactStore on a local disk: artifacts/{job_id}/ under the data folder, which no container ever mounts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.filesystem.adapter_file import check_adapter_file
from orchestrator.adapters.filesystem.copying import copy_file, copy_folder, copy_tree
from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.untrusted import FileRules
from orchestrator.domain.artifact import COLLECTED_SUFFIXES, DIAGNOSTIC_SUFFIXES, AdapterClaim, ModelClaim
from orchestrator.domain.errors import NotFound, Rejected
from orchestrator.ports.artifact_store import CollectedFile

COLLECTED = FileRules(suffixes=(*COLLECTED_SUFFIXES, *DIAGNOSTIC_SUFFIXES))


class FilesystemArtifactStore:
    def __init__(self, data_dir: Path, *, rules: FileRules = COLLECTED) -> None:
        self._outputs = data_dir / "outputs"
        self._artifacts = data_dir / "artifacts"
        self._rules = rules

    def collect(
        self, job_id: str, suffixes: tuple[str, ...] = COLLECTED_SUFFIXES, *, spared: Collection[str] = ()
    ) -> Sequence[CollectedFile]:
        rules = replace(self._rules, suffixes=suffixes, spared=frozenset(spared))
        try:
            return copy_tree(self._outputs / job_id, self._artifacts / job_id, rules)
        except FileNotFoundError:
            return ()

    def take(self, job_id: str, path: str, *, limit_bytes: int) -> CollectedFile | None:
        rules = replace(self._rules, suffixes=COLLECTED_SUFFIXES, max_file_bytes=limit_bytes)
        try:
            return copy_file(path, self._outputs / job_id, self._artifacts / job_id, rules)
        except OSError:
            return None

    def take_folder(self, job_id: str, path: str, *, limit_bytes: int) -> Sequence[CollectedFile]:
        rules = replace(self._rules, suffixes=COLLECTED_SUFFIXES, max_total_bytes=limit_bytes)
        try:
            return copy_folder(path, self._outputs / job_id, self._artifacts / job_id, rules)
        except OSError:
            return ()

    def verify_adapter(self, job_id: str, claim: AdapterClaim, *, adapts_text: bool = False) -> None:
        check_adapter_file(self._claimed(job_id, claim, "adapter"), claim.format, adapts_text=adapts_text)

    def verify_model(self, job_id: str, claim: ModelClaim) -> None:
        self._claimed(job_id, claim, "model")

    def open(self, job_id: str, path: str) -> BinaryIO:
        return self._locate(job_id, path).open("rb")

    def locate(self, job_id: str, path: str) -> str:
        return str(self._locate(job_id, path))

    def discard(self, job_id: str, path: str) -> None:
        try:
            self._locate(job_id, path).unlink(missing_ok=True)
        except NotFound:
            return

    def remove(self, job_id: str) -> None:
        delete_tree(self._artifacts / job_id)

    def _claimed(self, job_id: str, claim: AdapterClaim | ModelClaim, noun: str) -> Path:
        """The collected file that the trainer named, if it still is that file. Raises Rejected."""
        try:
            path = self._locate(job_id, claim.path)
        except NotFound as error:
            message = f"The trainer named a file of its {noun}, {claim.path[:200]!r}, that it did not leave."
            raise Rejected(message) from error
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != claim.sha256:
            raise Rejected(f"The {noun} file is not the one the trainer reported: its sha256 differs.")
        return path

    def _locate(self, job_id: str, path: str) -> Path:
        found = self._artifacts / job_id / path
        if not self._rules.accepts_path(path) or not found.is_file():
            raise NotFound(f"There is no artifact {path[:200]!r}.")
        return found
