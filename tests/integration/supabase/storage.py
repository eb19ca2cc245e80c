"""Supabase Storage, kept in memory: uploads in one request or by TUS, downloads with ranges, signed addresses."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import jwt

from tests.integration.supabase.data_api import Answer

_OBJECT = re.compile(r"/storage/v1/object/([^/]+)/(.+)")
_DOWNLOAD = re.compile(r"/storage/v1/object/authenticated/([^/]+)/(.+)")
_SIGN = re.compile(r"/storage/v1/object/sign/([^/]+)/(.+)")
_BUCKET_OBJECTS = re.compile(r"/storage/v1/object/([^/]+)")
_SIGNING_SECRET = "the-secret-that-storage-signs-its-addresses-with"
_BUCKET = re.compile(r"/storage/v1/bucket/([^/]+)")
_PIECES = re.compile(r"/storage/v1/upload/resumable(?:/([^/]+))?")
_ALLOWED_KEY = re.compile(r"[\w/!.*'() &$=@;:+,?-]+", re.ASCII)
MOST_KEYS = 1000
PIECE_BYTES = 6 * 1024**2


@dataclass
class _Upload:
    bucket: str
    key: str
    size: int
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Storage:
    """`objects` by bucket and key. `cuts` connections are lost after a piece was taken, before its answer, or in the
    middle of a download."""

    buckets: set[str] = field(default_factory=lambda: {"adapters", "datasets"})
    public: set[str] = field(default_factory=set)
    max_bytes: int = 50 * 1024**2
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    media_types: dict[tuple[str, str], str] = field(default_factory=dict)
    piece_sizes: list[int] = field(default_factory=list)
    ranges: list[int] = field(default_factory=list)  # where each download began
    cuts: int = 0
    _uploads: dict[str, _Upload] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: Any, body: bytes, *, is_service: bool) -> Answer | None:
        """None: the connection is lost."""
        path = unquote(path)
        if found := _DOWNLOAD.fullmatch(path):
            return self._download(found[1], found[2], headers, is_known=is_service)
        if not is_service:
            return _error(403, "Unauthorized", "new row violates row-level security policy")
        if found := _BUCKET.fullmatch(path):
            return self._described(found[1])
        if found := _SIGN.fullmatch(path):
            return self._signed(found[1], found[2], json.loads(body))
        if method == "DELETE" and (found := _BUCKET_OBJECTS.fullmatch(path)):
            return self._removed(found[1], json.loads(body)["prefixes"])
        if found := _OBJECT.fullmatch(path):
            return self._put(found[1], found[2], headers, body)
        pieces = _PIECES.fullmatch(path)
        assert pieces is not None, path
        assert headers["Tus-Resumable"] == "1.0.0"
        if method == "POST":
            return self._begin(headers)
        upload = self._uploads[pieces[1]]
        return self._piece(upload, headers, body) if method == "PATCH" else _offset(200, upload)

    def redeem(self, path: str, token: str, name: str | None) -> Answer:
        """What anybody gets who has a signed address."""
        found = _SIGN.fullmatch(unquote(path))
        assert found is not None, path
        try:
            claims = jwt.decode(token, _SIGNING_SECRET, ["HS256"])
        except jwt.PyJWTError as error:
            return _error(400, "InvalidJWT", str(error))
        if claims["url"] != f"{found[1]}/{found[2]}":
            return _error(400, "InvalidSignature", "The url does not match the signature")
        disposition = ("Content-Disposition", f"attachment; filename={name}; filename*=UTF-8''{name};")
        return Answer(200, self.objects[found[1], found[2]], (disposition,))

    def _signed(self, bucket: str, key: str, wanted: dict[str, Any]) -> Answer:
        if (bucket, key) not in self.objects:
            return _error(404, "not_found", "Object not found")
        claims = {"url": f"{bucket}/{key}", "exp": int(time.time()) + int(wanted["expiresIn"])}
        token = jwt.encode(claims, _SIGNING_SECRET, "HS256")
        return Answer(200, {"signedURL": f"/object/sign/{bucket}/{key}?token={token}"})

    def _removed(self, bucket: str, keys: list[str]) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "Bucket not found", "Bucket not found")
        assert len(keys) <= MOST_KEYS
        return Answer(200, [{"name": key} for key in keys if self.objects.pop((bucket, key), None) is not None])

    def _download(self, bucket: str, key: str, headers: Any, *, is_known: bool) -> Answer:
        """Storage does not tell a bucket that is closed to the caller from none."""
        if bucket not in self.buckets or not is_known:
            return _error(404, "Bucket not found", "Bucket not found")
        data = self.objects.get((bucket, key))
        if data is None:
            return _error(404, "not_found", "Object not found")
        begin = int(re.sub(r"\D", "", headers.get("Range", "0")))
        self.ranges.append(begin)
        if begin >= len(data) > 0:
            return _error(416, "InvalidRange", "The requested range is not satisfiable")
        cut = self.cuts > 0
        self.cuts -= cut
        status = 206 if begin else 200
        return Answer(status, data[begin:], cut_at=(len(data) - begin) // 2 if cut else None)

    def _described(self, bucket: str) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "Bucket not found", "Bucket not found")
        at = "2026-01-01T00:00:00.000Z"
        facts = {"id": bucket, "name": bucket, "owner": "", "public": bucket in self.public, "type": "STANDARD"}
        limits = {"file_size_limit": self.max_bytes, "allowed_mime_types": None}
        return Answer(200, {**facts, **limits, "created_at": at, "updated_at": at})

    def _put(self, bucket: str, key: str, headers: Any, body: bytes) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "Bucket not found", "Bucket not found")
        parsed: Any = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body
        )
        [file] = [part for part in parsed.iter_parts() if part.get_filename()]
        data = file.get_payload(decode=True)
        if refused := self._refused(bucket, key, len(data), headers):
            return refused
        self.objects[bucket, key] = data
        self.media_types[bucket, key] = file.get_content_type()
        return Answer(200, {"Id": str(uuid.uuid4()), "Key": f"{bucket}/{key}"})

    def _begin(self, headers: Any) -> Answer:
        said = dict(pair.split(" ") for pair in headers["Upload-Metadata"].split(","))
        bucket, key, media_type = (
            base64.b64decode(said[name]).decode() for name in ("bucketName", "objectName", "contentType")
        )
        size = int(headers["Upload-Length"])
        if bucket not in self.buckets:
            return Answer(404, "Bucket not found")
        if size > self.max_bytes:
            return Answer(413, "Maximum size exceeded")
        if refused := self._refused(bucket, key, size, headers):
            return refused
        name = uuid.uuid4().hex
        self._uploads[name] = _Upload(bucket, key, size)
        self.media_types[bucket, key] = media_type
        # Behind a proxy it names itself by its inside address.
        return Answer(201, None, (("Location", f"http://storage:5000/upload/resumable/{name}"),))

    def _piece(self, upload: _Upload, headers: Any, body: bytes) -> Answer | None:
        if int(headers["Upload-Offset"]) != len(upload.data):
            return Answer(409, "Upload-Offset conflict")
        assert len(body) == PIECE_BYTES or len(upload.data) + len(body) == upload.size
        upload.data += body
        self.piece_sizes.append(len(body))
        if len(upload.data) == upload.size:
            self.objects[upload.bucket, upload.key] = bytes(upload.data)
        if self.cuts:
            self.cuts -= 1
            return None
        return _offset(204, upload)

    def _refused(self, bucket: str, key: str, size: int, headers: Any) -> Answer | None:
        if not _ALLOWED_KEY.fullmatch(key):
            return _error(400, "InvalidKey", f"Invalid key: {key}")
        if size > self.max_bytes:
            return _error(413, "Payload too large", "The object exceeded the maximum allowed size")
        if (bucket, key) in self.objects and headers.get("x-upsert") != "true":
            return _error(409, "Duplicate", "The resource already exists")
        return None


def _offset(status: int, upload: _Upload) -> Answer:
    return Answer(status, None, (("Upload-Offset", str(len(upload.data))), ("Tus-Resumable", "1.0.0")))


def _error(status: int, error: str, message: str) -> Answer:
    """Storage says 400 for nearly everything; what it means stands in the body."""
    return Answer(400, {"statusCode": str(status), "error": error, "message": message})
