"""ThumbnailStore on a local disk: artifacts/{job_id}/.thumbnails/{artifact_id}.jpg, which goes with the job's files.

No file of a container has such a name, so none is ever served as one of these.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.uploads.pictures import NOT_LOOKED_AT, Finding, ToExamine, examine_all
from orchestrator.domain.artifact import MAX_PICTURE_PIXELS, THUMBNAIL_SIDE, Artifact
from orchestrator.domain.errors import PortError

_FOLDER = ".thumbnails"


class FilesystemThumbnails:
    def __init__(self, data_dir: Path) -> None:
        self._artifacts = data_dir / "artifacts"

    def make(self, samples: Sequence[Artifact]) -> Mapping[str, bool]:
        wanted = [
            ToExamine(picture=self._artifacts / sample.job_id / sample.path, preview=_partial(self._path(sample)))
            for sample in samples
        ]
        try:
            for each in wanted:
                # Not its parents: of a job that was deleted meanwhile nothing comes back.
                if each.preview.parent.parent.is_dir():
                    each.preview.parent.mkdir(exist_ok=True)
            findings = examine_all(wanted, MAX_PICTURE_PIXELS, preview_side=THUMBNAIL_SIDE)
            return {
                sample.id: self._keep(sample, each, finding)
                for sample, each, finding in zip(samples, wanted, findings, strict=True)
                if finding != NOT_LOOKED_AT
            }
        except OSError as error:
            raise PortError(f"Thumbnails could not be stored: {error.strerror}.") from error

    def locate(self, sample: Artifact) -> str | None:
        path = self._path(sample)
        return str(path) if path.is_file() else None

    def _keep(self, sample: Artifact, made: ToExamine, finding: Finding) -> bool:
        if "problem" in finding:
            made.preview.unlink(missing_ok=True)
            return False
        made.preview.chmod(0o644)
        made.preview.replace(self._path(sample))
        return True

    def _path(self, sample: Artifact) -> Path:
        return self._artifacts / sample.job_id / _FOLDER / f"{sample.id}.jpg"


def _partial(path: Path) -> Path:
    """A half-made one is never taken for a whole, and two processes do not write the same."""
    return path.with_name(f"{path.stem}.{uuid.uuid4().hex}.partial")
