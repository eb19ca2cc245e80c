"""What goes with an artifact's bytes: who has them is not sent them again, and no browser runs them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header

from orchestrator.domain.artifact import Artifact

# A container wrote them.
INERT = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="With the file's ETag: 304 instead of the bytes.")
]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The caller has these bytes already."}}


def etag(artifact: Artifact, *, is_small: bool = False) -> str:
    return f'"{artifact.sha256}-small"' if is_small else f'"{artifact.sha256}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """By RFC 9110, 13.1.2: a list of tags, weak ones counting as strong, or any."""
    tags = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    return "*" in tags or tag in tags
