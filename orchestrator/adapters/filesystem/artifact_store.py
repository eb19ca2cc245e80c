"""ArtifactStore on a local disk: artifacts/{job_id}/ under the data folder, which no container ever mounts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.filesystem.adapter_file import check_adapter_file
from orchestrator.adapters.filesystem.copying import copy_tree
from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.untrusted import FileRules
from orchestrator.domain.artifact import COLLECTED_SUFFIXES, AdapterClaim
from orchestrator.domain.errors import NotFound, Rejected
from orchestrator.ports.artifact_store import CollectedFile

COLLECTED = FileRules(suffixes=COLLECTED_SUFFIXES)


class FilesystemArtifactStore:
    def __init__(self, data_dir: Path, *, rules: FileRules = COLLECTED) -> None:
        self._outputs = data_dir / "outputs"
        self._artifacts = data_dir / "artifacts"
        self._rules = rules

    def collect(self, job_id: str) -> Sequence[CollectedFile]:
        try:
            return copy_tree(self._outputs / job_id, self._artifacts / job_id, self._rules)
        except FileNotFoundError:
            return ()

    def verify_adapter(self, job_id: str, claim: AdapterClaim) -> None:
        try:
            path = self._locate(job_id, claim.path)
        except NotFound as error:
            message = f"The trainer named an adapter file, {claim.path[:200]!r}, that it did not leave."
            raise Rejected(message) from error
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != claim.sha256:
            raise Rejected("The adapter file is not the one the trainer reported: its sha256 differs.")
        check_adapter_file(path, claim.format)

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

    def _locate(self, job_id: str, path: str) -> Path:
        found = self._artifacts / job_id / path
        if not self._rules.accepts_path(path) or not found.is_file():
            raise NotFound(f"There is no artifact {path[:200]!r}.")
        return found
