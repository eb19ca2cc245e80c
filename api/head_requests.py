"""HEAD wherever there is a GET: the same status and headers, without a body (RFC 9110, section 9.3.2)."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadersAreOut(OSError):
    """What ASGI tells an application whose client has left: nobody reads on, so a file or a stream is not made."""


class HeadRequests:
    """Innermost: what it hands on is a GET that ends as soon as its headers are known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        has_ended = False

        async def send_headers(message: Message) -> None:
            nonlocal has_ended
            if message["type"] == "http.response.start":
                await send(message)
                return
            if not has_ended:
                has_ended = True
                await send({"type": "http.response.body", "body": b""})
            if message.get("more_body", False):
                raise _HeadersAreOut

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, send_headers)
        except (_HeadersAreOut, ClientDisconnect):
            pass
        finally:
            scope["method"] = "HEAD"
