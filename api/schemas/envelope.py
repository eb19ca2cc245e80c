"""The shapes around every answer."""

from __future__ import annotations

from collections import ChainMap
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from api.schemas.words import WORDS
from orchestrator.domain.errors import Rejected

Item = TypeVar("Item")


class Single(BaseModel, Generic[Item]):
    """One thing."""

    ok: Literal[True] = True
    data: Item


class Listing(BaseModel, Generic[Item]):
    """A page of things; a list that is never cut into pages is one page."""

    ok: Literal[True] = True
    data: list[Item]
    total: int = Field(description="Things over all pages.")
    page: int = 1
    page_size: int

    @classmethod
    def whole(cls, items: list[Item]) -> Listing[Item]:
        return cls(data=items, total=len(items), page_size=len(items))


class ErrorDetail(BaseModel):
    """One violation."""

    field: str = Field(description="As the client wrote it.")
    message: str
    value: Any = Field(None, description="What was sent, when it is short enough to show.")


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    ok: Literal[False] = False
    error: str = Field(description="Stable code for programs.")
    message: str = Field(description="For people.")
    details: list[ErrorDetail]
    request_id: str


_VIOLATION = ErrorDetail(field="config.learning_rate", message="Input should be less than or equal to 0.01", value=0.5)


class _Refusal(NamedTuple):
    description: str
    messages: dict[str, str]  # by code: what a client may read


_REFUSALS = {
    400: _Refusal(
        "The request is wrong; `details` lists every violation.",
        {
            Rejected.code: f"{_VIOLATION.field}: {_VIOLATION.message}.",
            "INVALID_JSON": "The body is not valid JSON: Expecting value at character 12.",
        },
    ),
    401: _Refusal(
        "No token, or one that is unknown or has expired.",
        {
            "UNAUTHENTICATED": "Send a token: `Authorization: Bearer <token>`.",
            "TOKEN_INVALID": "The bearer token is not known here.",
            "TOKEN_EXPIRED": "The bearer token has expired. Ask for a new one.",
        },
    ),
    403: _Refusal(
        "It belongs to another user, or only administrators may.", {"ADMIN_ONLY": "Only administrators may do this."}
    ),
    404: _Refusal("Unknown, or another user's.", {"JOB_NOT_FOUND": "There is no job with this id."}),
    409: _Refusal(
        "Not in this state, or an idempotency key sent with another body.",
        {"JOB_ENDED": f"Job {WORDS['job_id']} has already ended as completed."},
    ),
    413: _Refusal("Larger than allowed.", {"TOO_LARGE": "The body is larger than this path takes."}),
    429: _Refusal(
        "Too many requests; `Retry-After` says when to come back.",
        {"RATE_LIMITED": "Too many requests: 600 per 1 minute is the limit. Try again in 12 seconds."},
    ),
    500: _Refusal(
        "Our fault, or a launch that failed (`LAUNCH_FAILED`; the job is kept as failed).",
        {
            "INTERNAL": "Something went wrong on our side. The log has the details under this request id.",
            "LAUNCH_FAILED": "The container did not start.",
        },
    ),
    503: _Refusal(
        "Cannot answer right now; `Retry-After` says when to come back.",
        {"STORE_UNAVAILABLE": "The job store did not answer: OperationalError."},
    ),
    507: _Refusal("The disk has no room for it.", {"DISK_FULL": "Nothing was kept; try again later."}),
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of the error answers a route gives."""
    return {status: _answer(_REFUSALS[status]) for status in statuses}


def _answer(refusal: _Refusal) -> dict[str, Any]:
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code in refusal.messages}
    content = {"application/json": {"examples": shown}}
    return {"model": ErrorBody, "description": refusal.description, "content": content}


def documented(status: int) -> dict[str, Any]:
    """The same as the document has it, for what no route declares."""
    answer = _answer(_REFUSALS[status])
    schema = {"$ref": f"#/components/schemas/{answer.pop('model').__name__}"}
    answer["content"]["application/json"]["schema"] = schema
    return answer


def example(body: JsonDict) -> dict[str, Any]:
    """Part of the OpenAPI entry of an answer whose fields' own examples would not do."""
    return {"content": {"application/json": {"example": body}}}


def error_examples() -> dict[str, dict[str, Any]]:
    """By code, what `errors` refers to: components of the document."""
    messages = ChainMap(*(refusal.messages for refusal in _REFUSALS.values()))
    return {code: {"value": _error(code, messages[code]).model_dump()} for code in sorted(messages)}


def _error(code: str, message: str) -> ErrorBody:
    details = [_VIOLATION] if code == Rejected.code else []
    return ErrorBody(error=code, message=message, details=details, request_id=WORDS["request_id"])


# Answers of every route behind a token. `default` keeps the framework from documenting its own 422.
GUARDED = {**errors(401, 429, 503), "default": {"model": ErrorBody, "description": "Any other error."}}
