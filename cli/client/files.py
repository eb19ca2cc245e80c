"""Files in both directions, with progress told in bytes: datasets up, artifacts down."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import cast

import httpx2

from cli.answers import Artifact, Dataset
from cli.client.transport import Transport, refusal
from cli.errors import CheckFailed

_UPLOAD_TIMEOUT = httpx2.Timeout(600.0, connect=5.0)  # the server checks every picture before it answers
_CHUNK_BYTES = 1 << 20
_PARTIAL_CONTENT = 206

OnBytes = Callable[[int], None]  # told how many bytes came or went since it was told last


def _unheard(_: int) -> None:
    """For callers who do not want to know."""


class FileCalls(Transport):
    def upload_dataset(
        self, archive: Path, *, name: str, strip_exif: bool = False, on_bytes: OnBytes = _unheard
    ) -> Dataset:
        """Upload a zip of pictures and captions as a new dataset. Not repeated: a second upload is a second dataset."""
        doing = f"upload {archive}"
        with _CountedFile(archive, on_bytes) as content:
            files = {"files": (archive.name, content, "application/zip")}
            form = {"name": name, "strip_exif": str(strip_exif).lower()}
            answer = self._once(
                "POST", "/datasets/upload", doing=doing, files=files, data=form, timeout=_UPLOAD_TIMEOUT
            )
        return cast("Dataset", answer["data"])

    def download(self, artifact: Artifact, target: Path, *, on_bytes: OnBytes = _unheard) -> None:
        """Write an artifact to `target`, whole and with the right sha256 or not at all.

        What has arrived stays beside it as `.part` when the server goes away, and is not fetched again.
        """
        part = target.with_name(f"{target.name}.part")
        on_bytes(_size(part))
        self._repeating(lambda: self._fetch(artifact, part, on_bytes))
        digest = _sha256(part)
        if artifact["sha256"] and digest != artifact["sha256"]:
            part.unlink()
            raise CheckFailed(
                f"Downloaded {artifact['path']}, but its sha256 is {digest} instead of {artifact['sha256']}: "
                "it was damaged on the way. Nothing was kept; try again."
            )
        part.replace(target)

    def _fetch(self, artifact: Artifact, part: Path, on_bytes: OnBytes) -> None:
        """Bring `part` to its full length, going on from where it ends as long as the server has the same bytes."""
        doing = f"download {artifact['path']}"
        if (start := _size(part)) > artifact["size_bytes"]:
            part.unlink()  # of some other file
            start = 0
        if start == artifact["size_bytes"] > 0:
            return
        headers = {"Range": f"bytes={start}-", "If-Range": f'"{artifact["sha256"]}"'} if start else {}
        try:
            with self._http.stream("GET", f"/artifacts/{artifact['id']}/download", headers=headers) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer, doing)
                goes_on = answer.status_code == _PARTIAL_CONTENT
                if not goes_on:
                    on_bytes(-start)
                with part.open("ab" if goes_on else "wb") as file:
                    for chunk in answer.iter_bytes(_CHUNK_BYTES):
                        file.write(chunk)
                        on_bytes(len(chunk))
        except httpx2.HTTPError as error:
            raise self._unreachable(doing, error) from error


class _CountedFile(io.FileIO):
    def __init__(self, path: Path, on_bytes: OnBytes) -> None:
        super().__init__(path, "rb")
        self._on_bytes = on_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self._on_bytes(len(content))
        return content


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
