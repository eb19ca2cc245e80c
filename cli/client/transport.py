"""How the client talks: one connection, answers unwrapped, failures as sentences, what may be repeated repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx2

from cli.answers import Page
from cli.errors import CliError, LorryApiError, ServerUnreachable, api_error

DEFAULT_URL = "http://127.0.0.1:8000"

_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_REPEAT_AFTER_SECONDS = (0.2, 1.0)
_MAX_PAUSE_SECONDS = 5.0  # a server that asks for more patience is left to the caller
_TIMEOUT = httpx2.Timeout(30.0, connect=5.0)

Result = TypeVar("Result")


class Transport:
    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, repeat_after: Sequence[float] = _REPEAT_AFTER_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        self._repeat_after = repeat_after
        self._http = httpx2.Client(
            base_url=f"{self.url}/api",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=_TIMEOUT,
            trust_env=urlsplit(self.url).hostname not in _LOOPBACK_HOSTS,  # a proxy cannot reach our loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _page(self, path: str, *, doing: str, **query: Any) -> Page[Any]:
        answer = self._get(path, doing=doing, **query)
        return Page(answer["data"], answer.get("total", len(answer["data"])), answer.get("page", 1))

    def _data(self, path: str, *, doing: str, **query: Any) -> Any:
        return self._get(path, doing=doing, **query)["data"]

    def _get(self, path: str, *, doing: str, **query: Any) -> dict[str, Any]:
        params = {key: value for key, value in query.items() if value not in (None, [], ())}
        return self._repeating(lambda: self._once("GET", path, doing=doing, params=params))

    def _post(self, path: str, *, doing: str, **options: Any) -> dict[str, Any]:
        """Only for requests whose repetition changes nothing."""
        return self._repeating(lambda: self._once("POST", path, doing=doing, **options))

    def _once(self, method: str, path: str, *, doing: str, **options: Any) -> dict[str, Any]:
        return _object(self._send(method, path, doing=doing, **options), doing)

    def _repeating(self, request: Callable[[], Result]) -> Result:
        for seconds in self._repeat_after:
            try:
                return request()
            except CliError as error:
                asked = error.retry_after_seconds if isinstance(error, LorryApiError) else None
                pause = seconds if asked is None else asked
                if not error.is_transient or pause > _MAX_PAUSE_SECONDS:
                    raise
            time.sleep(pause)
        return request()

    def _send(self, method: str, path: str, *, doing: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise self._unreachable(doing, error) from error
        if answer.is_error:
            raise refusal(answer, doing)
        return answer

    def _unreachable(self, doing: str, error: httpx2.HTTPError) -> ServerUnreachable:
        return ServerUnreachable(doing, self.url, str(error) or type(error).__name__)


def refusal(answer: httpx2.Response, doing: str) -> LorryApiError:
    """The error that an answer, read to its end, tells of."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return api_error(
        doing,
        code=str(body.get("error", f"HTTP_{answer.status_code}")),
        message=str(body.get("message", f"the server answered {answer.status_code} {answer.reason_phrase}.")),
        status=answer.status_code,
        details=[detail for detail in body.get("details") or () if isinstance(detail, dict)],
        request_id=answer.headers.get("X-Request-ID"),
        retry_after_seconds=_seconds(answer.headers.get("Retry-After")),
    )


def _object(answer: httpx2.Response, doing: str) -> dict[str, Any]:
    """The JSON object that every successful answer of the API is."""
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("ok") is not True:
        raise LorryApiError(
            doing,
            code="UNEXPECTED_ANSWER",
            message=f"{answer.url} does not answer like a Lorry server; check --url and LORRY_URL.",
            status=answer.status_code,
        )
    return content


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdigit() else None
