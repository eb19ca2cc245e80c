"""`Idempotency-Key`: what a client sends again because no answer came is taken once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header

from orchestrator.ports.job_store import Submission

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same key with the same body is one job, however often it is sent.",
    ),
]


def submission_of(key: str | None, body: Mapping[str, Any]) -> Submission | None:
    """None without a key. Bodies that mean the same are one: order, spacing and written-out defaults do not count."""
    if key is None:
        return None
    text = json.dumps(body, sort_keys=True)
    return Submission(key, hashlib.sha256(text.encode()).hexdigest())
