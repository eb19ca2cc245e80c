"""The web app: the files that `make web` built, served at `/`; their policy lets a page reach nothing but here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUILT_FILES = Path(__file__).parent / "web_dist"

# Everything that does not belong to the web app; an unknown path under `/api` stays an error that programs can read.
_OTHER_PATHS = ("/api/", "/docs", "/redoc", "/openapi.json", "/metrics")
_SIGN_IN = "/signin?code="
_ASSETS = "/assets/"
# The name of each asset has a hash of its content in it.
_FOR_EVER = "public, max-age=31536000, immutable"


def web_routes(directory: Path) -> APIRouter:
    """Files as they are; any other path that a browser goes to is the app's, which has pages of its own there."""
    routes = APIRouter(dependencies=[Depends(_belong_to_the_web_app)])
    routes.frontend("/", directory=directory, fallback="index.html")
    return routes


def sign_in_link(url: str, code: str) -> str:
    """Where a browser goes once to be signed in; `url` is the server's address."""
    return url.rstrip("/") + _SIGN_IN + code


async def _belong_to_the_web_app(request: Request) -> None:
    if request.url.path.startswith(_OTHER_PATHS):
        raise HTTPException(status_code=404)


class PageHeaders:
    """Content-Security-Policy of pages, caching and compression of what they load; other paths pass untouched."""

    def __init__(self, app: ASGIApp, *, identity_url: str | None = None) -> None:
        """`identity_url`: where pages may sign in besides here."""
        self._app = app
        self._compressed = GZipMiddleware(app)
        self._policy = _page_policy(identity_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_OTHER_PATHS):
            await self._app(scope, receive, send)
            return
        is_asset = scope["path"].startswith(_ASSETS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), is_kept=is_asset and message["status"] == 200)  # noqa: PLR2004
            await send(message)

        await (self._compressed if is_asset else self._app)(scope, receive, send_with_headers)

    def _add_headers(self, headers: MutableHeaders, *, is_kept: bool) -> None:
        if headers.get("content-type", "").startswith("text/html"):
            headers["Content-Security-Policy"] = self._policy
        if is_kept:
            headers["Cache-Control"] = _FOR_EVER


def _page_policy(identity_url: str | None) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": "'self' blob: data:",  # pictures behind the token are fetched, and shown from memory
        "connect-src": f"'self' {_origin(identity_url)}" if identity_url else "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
