"""ModelHub over huggingface_hub.

The library keeps no half of a file between two calls (2.4), so its own download function is given ours to append to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.file_download import http_get

from orchestrator.adapters.huggingface.errors import translated
from orchestrator.domain.errors import HubRefused
from orchestrator.domain.model import INDEX, CatalogueEntry, ModelFile, ModelSnapshot, is_wanted

_LOOK_UP_SECONDS = 20.0
_STALL_SECONDS = 30
# What a try that is cut off loses at most, and how often progress is told.
_CHUNK_BYTES = 1024 * 1024


class HuggingFaceHub:
    """`token` None: nobody's, whatever account this machine is signed in to. The library's settings are the process's:
    there is one of these in it."""

    def __init__(self, *, endpoint: str, token: str | None, stall_seconds: int = _STALL_SECONDS) -> None:
        # Xet downloads cannot be continued, tell their progress in leaps, and go past a mirror.
        constants.HF_HUB_DISABLE_XET = True
        constants.HF_HUB_DISABLE_TELEMETRY = True
        constants.HF_HUB_DOWNLOAD_TIMEOUT = stall_seconds
        constants.DOWNLOAD_CHUNK_SIZE = _CHUNK_BYTES
        self._endpoint = endpoint.rstrip("/")
        self._has_token = token is not None
        self._api = HfApi(endpoint=self._endpoint, token=token or False, library_name="lorry")

    def look_up(self, entry: CatalogueEntry, *, revision: str) -> ModelSnapshot:
        with translated(entry.id, self._endpoint, has_token=self._has_token):
            info = self._api.model_info(entry.id, revision=revision, files_metadata=True, timeout=_LOOK_UP_SECONDS)
            listed = [sibling for sibling in info.siblings or () if is_wanted(sibling.rfilename, entry.parts)]
            files = tuple(map(_file, listed))
        if info.sha is None or not any(file.path == INDEX for file in files):
            raise HubRefused(f"{entry.id} at {self._endpoint} has no {INDEX}: it is no model in the diffusers layout.")
        return ModelSnapshot(info.sha, files)

    def fetch(
        self, entry: CatalogueEntry, file: ModelFile, *, revision: str, folder: str, note: Callable[[int], None]
    ) -> None:
        target = Path(folder, file.path)
        partial = target.with_name(f"{target.name}.partial")
        with translated(entry.id, self._endpoint, has_token=self._has_token):
            if not target.exists():  # it gets its name only once it is whole and verified
                target.parent.mkdir(parents=True, exist_ok=True)
                self._fetch_verified(entry, file, revision, partial, note)
                partial.replace(target)
        note(file.size_bytes)

    def _fetch_verified(
        self, entry: CatalogueEntry, file: ModelFile, revision: str, partial: Path, note: Callable[[int], None]
    ) -> None:
        """What an earlier try left may be damaged itself, so a file that was continued has a second chance."""
        was_continued = self._append_rest(entry, file, revision, partial, note)
        if not file.is_made_of(_chunks(partial)) and was_continued:
            partial.unlink()
            self._append_rest(entry, file, revision, partial, note)
        if not file.is_made_of(_chunks(partial)):
            partial.unlink()
            raise HubRefused(
                f"{self._endpoint} sent {file.path} of {entry.id} with another content than its checksum says. "
                "Nothing of that file was kept; ask for the model again to try once more."
            )

    def _append_rest(
        self, entry: CatalogueEntry, file: ModelFile, revision: str, partial: Path, note: Callable[[int], None]
    ) -> bool:
        """Whether there was something to go on from."""
        if partial.exists() and partial.stat().st_size > file.size_bytes:
            partial.unlink()
        with partial.open("ab") as output:
            present = output.tell()
            http_get(
                hf_hub_url(entry.id, file.path, revision=revision, endpoint=self._endpoint),
                output,
                resume_size=present,
                headers=self._api._build_hf_headers(),  # noqa: SLF001 - what its own methods send
                expected_size=file.size_bytes,
                tqdm_class=_reporting_to(note),
            )
            output.flush()
            os.fsync(output.fileno())
        return present > 0


def _file(sibling: Any) -> ModelFile:
    """Raises TypeError for one without a size, and with nothing to hold its content against."""
    sha256 = sibling.lfs.sha256 if sibling.lfs is not None else None
    if sibling.size is None or (sha256 is None and sibling.blob_id is None):
        raise TypeError(f"{sibling.rfilename} has no size or checksum")
    return ModelFile(path=sibling.rfilename, size_bytes=sibling.size, sha256=sha256, git_sha1=sibling.blob_id)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk


def _reporting_to(note: Callable[[int], None]) -> Any:
    """A progress bar's class that shows nothing and tells `note` how many bytes of the file there are."""

    class Reporting:
        def __init__(self, *, initial: int = 0, **_: Any) -> None:
            self._present = initial

        def update(self, count: int) -> None:
            self._present += count
            note(self._present)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing was shown."""

    return Reporting
