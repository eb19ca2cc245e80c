"""A limit on the size of request bodies, counted while they arrive. A Content-Length can only make it refuse sooner."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATE_KEY = "max_body_bytes"


class BodyLimit:
    """Raises 413 inside whoever reads the body, so the answer has the shape of every other error."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        announced = int(declared) if declared.isdecimal() else 0
        state = scope.setdefault("state", {})
        arrived = 0

        async def limited_receive() -> Message:
            nonlocal arrived
            limit = state.get(_STATE_KEY, self._max_bytes)
            if announced > limit:
                raise HTTPException(413)
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, limited_receive, send)


def allow_body(request: Request, max_bytes: int) -> None:
    """Let this request's body be larger; call it before reading the body."""
    setattr(request.state, _STATE_KEY, max_bytes)
