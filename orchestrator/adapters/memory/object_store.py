"""ObjectStore in a dict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.domain.errors import NotFound, Rejected, StoreUnavailable


class MemoryObjectStore:
    """`is_away`: nobody answers; `cut_after`: a fetch is cut off after so many bytes of an object."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_away = False
        self.cut_after: int | None = None

    def put(self, key: str, path: str) -> None:
        self._require_answer()
        self.objects[key] = Path(path).read_bytes()

    def fetch(self, key: str, path: str, *, size_bytes: int) -> None:
        self._require_answer()
        data = self._found(key)
        if len(data) != size_bytes:
            raise Rejected(f"{key} is not the {size_bytes} bytes that it was.", code="OBJECT_CHANGED")
        with Path(path).open("ab") as file:
            file.write(data[file.tell() : self.cut_after])
        if self.cut_after is not None:
            raise StoreUnavailable(f"{key} could not be fetched: the connection was lost.")

    def remove(self, keys: Sequence[str]) -> None:
        self._require_answer()
        for key in keys:
            self.objects.pop(key, None)

    def signed_url(self, key: str, *, name: str, seconds: int) -> str:
        self._require_answer()
        self._found(key)
        return f"https://storage.example/{key}?token=signed&seconds={seconds}&download={name}"

    def _found(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError:
            raise NotFound(f"{key} is not in the bucket.", code="OBJECT_NOT_FOUND") from None

    def _require_answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable("The object store did not answer.")
