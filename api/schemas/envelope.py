"""The shapes around every answer."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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

    field: str = Field(description="As the client wrote it.", examples=["config.learning_rate"])
    message: str = Field(examples=["Input should be less than or equal to 0.01"])
    value: Any = Field(None, description="What was sent, when it is short enough to show.", examples=[0.5])


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "ok": False,
                "error": "VALIDATION_FAILED",
                "message": "config.learning_rate: Input should be less than or equal to 0.01.",
                "details": [
                    {
                        "field": "config.learning_rate",
                        "message": "Input should be less than or equal to 0.01",
                        "value": 0.5,
                    }
                ],
                "request_id": "0f6d2c1f6f5b4a41b5b3f3a0c1c5d6e7",
            }
        }
    )

    ok: Literal[False] = False
    error: str = Field(description="Stable code for programs.")
    message: str = Field(description="For people.")
    details: list[ErrorDetail]
    request_id: str


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of the error answers a route gives."""
    return {status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in statuses}


_DESCRIPTIONS = {
    400: "The request is wrong; `details` lists every violation.",
    401: "No token, or one that is unknown or has expired.",
    403: "It belongs to another user, or only administrators may.",
    404: "Unknown, or another user's.",
    409: "Not in this state, or an idempotency key sent with another body.",
    413: "Larger than allowed.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Our fault, or a launch that failed (`LAUNCH_FAILED`; the job is kept as failed).",
    503: "Cannot answer right now; `Retry-After` says when to come back.",
    507: "The disk has no room for it.",
}
# Answers of every route behind a token. `default` keeps the framework from documenting its own 422.
GUARDED = {**errors(401, 429, 503), "default": {"model": ErrorBody, "description": "Any other error."}}
