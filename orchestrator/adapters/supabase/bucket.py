"""ObjectStore in a private bucket of Supabase Storage, with the project's secret key and nobody's token.

Small files go in one request through the client library, which has no way to send a large one: those go by TUS, whose
pieces can be sent again after a connection is lost. It has no way to receive a file piece by piece either.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit

import httpx
from storage3.exceptions import StorageApiError
from supabase import ClientOptions, create_client

from orchestrator.adapters.supabase.project import LOOPBACK_HOSTS
from orchestrator.domain.errors import LorryError, NotFound, Rejected, StoreUnavailable, TooLarge

PIECE_BYTES = 6 * 1024**2  # Supabase takes no other size
_RESUMPTIONS = 5
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_ENDPOINT = "/storage/v1/upload/resumable"


class Bucket:
    """Thread-safe."""

    def __init__(self, url: str, secret_key: str, name: str) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=urlsplit(url).hostname not in LOOPBACK_HOSTS)
        options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=self._http)
        self._storage = create_client(self._url, secret_key, options).storage
        self._headers = {"apikey": secret_key, "Authorization": f"Bearer {secret_key}", "Tus-Resumable": "1.0.0"}

    def close(self) -> None:
        self._http.close()

    def problem(self) -> str | None:
        """Why files cannot be kept here as they should be, or None."""
        try:
            bucket = self._storage.get_bucket(self._name)
        except (StorageApiError, httpx.HTTPError, ValueError) as error:
            why = getattr(error, "message", type(error).__name__)
            return f"the bucket {self._name} cannot be reached with LORRY_SUPABASE_SECRET_KEY ({why})"
        return (
            f"the bucket {self._name} is public: whoever guesses an address reads its files" if bucket.public else None
        )

    def put(self, key: str, path: str) -> None:
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        with self._translated(f"{key} could not be uploaded"):
            size = Path(path).stat().st_size
            if size <= PIECE_BYTES:
                self._storage.from_(self._name).upload(key, Path(path), {"content-type": media_type, "upsert": "true"})
            else:
                self._put_in_pieces(key, path, size, media_type)

    def fetch(self, key: str, path: str, *, size_bytes: int) -> None:
        with self._translated(f"{key} could not be fetched"), Path(path).open("ab") as file:
            for resumptions in range(_RESUMPTIONS + 1):
                try:
                    self._fetch_rest(key, file, size_bytes)
                    break
                except httpx.TransportError:
                    if resumptions == _RESUMPTIONS:
                        raise

    def remove(self, keys: Sequence[str]) -> None:
        with self._translated(f"{len(keys)} objects could not be deleted"):
            self._storage.from_(self._name).remove(list(keys))

    def signed_url(self, key: str, *, name: str, seconds: int) -> str:
        with self._translated(f"{key} could not be signed for"):
            answer = self._storage.from_(self._name).create_signed_url(key, seconds, {"download": name})
        return str(answer["signedURL"])

    @contextmanager
    def _translated(self, what_failed: str) -> Iterator[None]:
        """The one seam where Storage's errors become ours."""
        try:
            yield
        except StorageApiError as error:
            raise self._error(what_failed, int(error.status), error.message) from error
        except httpx.HTTPStatusError as error:
            raise self._error(what_failed, error.response.status_code, error.response.text[:200]) from error
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise StoreUnavailable(f"{what_failed}: {type(error).__name__}.") from error

    def _error(self, what_failed: str, status: int, text: str) -> LorryError:
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            message = "it is larger than the project or the bucket allows; raise that limit"
            return TooLarge(f"{what_failed}: {message}.")
        if status == HTTPStatus.NOT_FOUND and "bucket" in text.lower():
            # Storage says the same of a bucket that the key does not open.
            return StoreUnavailable(f"{what_failed}: Bucket not found: {self._name}, or the secret key is not its own.")
        if status == HTTPStatus.NOT_FOUND:
            return NotFound(f"{what_failed}: it is not in the bucket {self._name}.", code="OBJECT_NOT_FOUND")
        return StoreUnavailable(f"{what_failed}: {status} {text}")

    def _fetch_rest(self, key: str, file: BinaryIO, size_bytes: int) -> None:
        """Append what is missing; an answer that ignores the range begins anew."""
        offset = file.seek(0, SEEK_END)
        if offset == size_bytes:
            return
        headers = {**self._headers, "Range": f"bytes={offset}-"} if offset else self._headers
        address = f"{self._url}/storage/v1/object/authenticated/{self._name}/{quote(key)}"
        with self._http.stream("GET", address, headers=headers) as answer:
            _require_success(answer)
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                offset = file.truncate(0)
            for piece in answer.iter_bytes():
                offset += file.write(piece)
                if offset > size_bytes:
                    break
        if offset != size_bytes:
            file.truncate(0)
            raise Rejected(f"{key} is not the {size_bytes} bytes that it was.", code="OBJECT_CHANGED")

    def _put_in_pieces(self, key: str, path: str, size: int, media_type: str) -> None:
        location = self._begin(key, size, media_type)
        offset, resumptions = 0, 0
        with Path(path).open("rb") as file:
            while offset < size:
                try:
                    offset = self._send_piece(location, file, offset)
                except httpx.TransportError:
                    if resumptions == _RESUMPTIONS:
                        raise
                    resumptions += 1
                    offset = self._offset(location)

    def _begin(self, key: str, size: int, media_type: str) -> str:
        """Where the pieces go. Behind a proxy the answer names an inside address, so only its path is taken."""
        said = {"bucketName": self._name, "objectName": key, "contentType": media_type, "cacheControl": "3600"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        headers = {**self._headers, "Upload-Length": str(size), "Upload-Metadata": metadata, "x-upsert": "true"}
        answer = self._http.post(f"{self._url}{_ENDPOINT}", headers=headers)
        answer.raise_for_status()
        return f"{self._url}{_ENDPOINT}/{urlsplit(answer.headers.get('Location', '')).path.rpartition('/')[2]}"

    def _send_piece(self, location: str, file: BinaryIO, offset: int) -> int:
        """The offset after it."""
        file.seek(offset)
        headers = {**self._headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        answer = self._http.patch(location, headers=headers, content=file.read(PIECE_BYTES))
        answer.raise_for_status()
        return _offset_of(answer)

    def _offset(self, location: str) -> int:
        answer = self._http.head(location, headers=self._headers)
        answer.raise_for_status()
        return _offset_of(answer)


def _offset_of(answer: httpx.Response) -> int:
    return int(answer.headers.get("Upload-Offset", ""))


def _require_success(answer: httpx.Response) -> None:
    """Raises StorageApiError: what went wrong stands in the body, whose status is the right one."""
    if answer.is_success:
        return
    answer.read()
    try:
        said = answer.json()
        raise StorageApiError(said["message"], said["error"], said["statusCode"])
    except (ValueError, KeyError, TypeError):
        answer.raise_for_status()
