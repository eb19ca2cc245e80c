"""One bucket of an object store, where a web app finds files without asking Lorry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MOST_KEYS = 1_000  # that one removal may name


class ObjectStore(Protocol):
    """Errors of every method: StoreUnavailable when trying again can help, if only after a person has mended the
    bucket or the key to it."""

    def put(self, key: str, path: str) -> None:
        """Store the file at `path`, which stays; what was under the key is replaced. Safe to repeat.

        Raises Rejected when the store will not have this file.
        """

    def fetch(self, key: str, path: str, *, size_bytes: int) -> None:
        """Write an object of that size to the file at `path`, going on where the file ends.

        Raises NotFound, and Rejected for an object of another size.
        """

    def remove(self, keys: Sequence[str]) -> None:
        """MOST_KEYS at most. Safe to repeat."""

    def signed_url(self, key: str, *, name: str, seconds: int) -> str:
        """An address that anybody who has it may download the object from, as `name`, for so long. Raises NotFound."""
