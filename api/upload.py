"""Reading a multipart upload. Done by hand, because the framework would read all of it before it asks for a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from api.body_limit import allow_body
from api.dependencies import Options, of_app
from api.schemas.texts import Name
from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.errors import Rejected, Violation
from orchestrator.ports.dataset_store import UploadedFile

T = TypeVar("T")

DEFAULT_NAME = "dataset"
# Part headers, on top of what the files may weigh together.
_OVERHEAD_BYTES = 8 * 1024**2
_MAX_FIELD_BYTES = 4096
# An upload is looked at picture by picture, for minutes if need be; the other threads are for those who only look.
UPLOAD_THREADS = 4

UploadThreads = Annotated[CapacityLimiter, Depends(of_app(lambda state: state.upload_threads))]

_name = TypeAdapter[str](Name)
_strip_exif = TypeAdapter[Literal["true", "false"]](Literal["true", "false"])

_ADDITION_FIELDS: dict[str, Any] = {
    "files": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "Pictures (png, jpg, jpeg, webp) and .txt captions, or one zip of them.",
    },
    "strip_exif": {
        "type": "boolean",
        "default": False,
        "description": "Keep pictures upright and without metadata, such as where they were taken.",
    },
}
_FIELDS = _ADDITION_FIELDS | {
    "name": {"type": "string", "maxLength": 200, "default": DEFAULT_NAME, "examples": ["my cat"]}
}


def _body(fields: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": ["files"], "properties": fields}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


UPLOAD_BODY, ADDITION_BODY = _body(_FIELDS), _body(_ADDITION_FIELDS)


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    strip_exif: bool
    files: list[UploadedFile]


class Uploading:
    """What the uploading routes do; built by FastAPI for a request."""

    def __init__(self, request: Request, options: Options, threads: UploadThreads) -> None:
        self._request = request
        self._max_bytes = options.max_upload_bytes
        self._threads = threads

    @property
    def announced_bytes(self) -> int:
        return announced_bytes(self._request)

    def read(self, *, is_addition: bool = False) -> AbstractAsyncContextManager[Upload]:
        """As `read_upload`."""
        return read_upload(self._request, max_bytes=self._max_bytes, is_addition=is_addition)

    async def keep(self, store: Callable[[], T]) -> T:
        """What `store` makes of the files, in a thread of those for uploads."""
        return await anyio.to_thread.run_sync(store, limiter=self._threads)


UploadSteps = Annotated[Uploading, Depends()]


def announced_bytes(request: Request) -> int:
    """What the client says that the body weighs; 0 when it does not say."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


@asynccontextmanager
async def read_upload(request: Request, *, max_bytes: int, is_addition: bool = False) -> AsyncIterator[Upload]:
    """The files, spooled to disk until the block ends. Raises Rejected with everything that is wrong with the form.

    An addition goes to a dataset that has a name.
    """
    allow_body(request, max_bytes + _OVERHEAD_BYTES)
    max_files = UploadLimits().max_files
    async with request.form(max_files=max_files, max_fields=len(_FIELDS), max_part_size=_MAX_FIELD_BYTES) as form:
        violations = _violations(form, known=_ADDITION_FIELDS if is_addition else _FIELDS)
        if violations:
            raise Rejected("The upload's form is wrong; `details` lists what.", details=violations)
        files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        yield Upload(
            name=str(form.get("name", DEFAULT_NAME)),
            strip_exif=form.get("strip_exif") == "true",
            files=[UploadedFile(part.filename or "", part.file) for part in files],
        )


def _violations(form: FormData, *, known: Collection[str]) -> list[Violation]:
    found = [Violation(key, "is not known here") for key in sorted(set(form) - set(known))]
    files = form.getlist("files")
    if not files:
        found.append(Violation("files", "is required: send at least one file as multipart/form-data"))
    elif not all(isinstance(part, UploadFile) for part in files):
        found.append(Violation("files", "must be files, each with a file name"))
    return [
        *found,
        *_field_violations("name", _name, form.getlist("name") or [DEFAULT_NAME]),
        *_field_violations("strip_exif", _strip_exif, form.getlist("strip_exif") or ["false"]),
    ]


def _field_violations(name: str, expected: TypeAdapter[Any], values: list[UploadFile | str]) -> list[Violation]:
    if len(values) > 1:
        return [Violation(name, "must be sent once")]
    try:
        expected.validate_python(values[0])
    except ValidationError as error:
        return [Violation(name, problem["msg"].removeprefix("Value error, ")) for problem in error.errors()]
    return []
