"""ObjectStore in a private bucket of Supabase Storage, with the project's secret key and nobody's token.

Small files go in one request through the client library, which has no way to send a large one: those go by TUS, whose
pieces can be sent again after a connection is lost.
"""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
from storage3.exceptions import StorageApiError
from supabase import ClientOptions, create_client

from orchestrator.adapters.supabase.project import LOOPBACK_HOSTS
from orchestrator.domain.errors import LorryError, StoreUnavailable, TooLarge

PIECE_BYTES = 6 * 1024**2  # Supabase takes no other size
_RESUMPTIONS = 5
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_ENDPOINT = "/storage/v1/upload/resumable"
_TOO_LARGE = 413


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
        size = Path(path).stat().st_size
        try:
            if size <= PIECE_BYTES:
                self._storage.from_(self._name).upload(key, Path(path), {"content-type": media_type, "upsert": "true"})
            else:
                self._put_in_pieces(key, path, size, media_type)
        except StorageApiError as error:
            raise _translated(int(error.status), error.message, key) from error
        except httpx.HTTPStatusError as error:
            raise _translated(error.response.status_code, error.response.text[:200], key) from error
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise StoreUnavailable(f"{key} could not be uploaded: {type(error).__name__}.") from error

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


def _translated(status: int, text: str, key: str) -> LorryError:
    if status == _TOO_LARGE:
        return TooLarge(f"{key} is larger than the project or the bucket allows: raise its file size limit.")
    return StoreUnavailable(f"{key} could not be uploaded: {status} {text}")
