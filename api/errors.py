"""The one table from errors to HTTP answers, and the one shape every error answer has.

{"ok": false, "error": "<CODE>", "message": "<for people>", "details": [{field, message, value?}], "request_id"}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.allowed_methods import allowed_methods
from orchestrator.domain.errors import (
    Conflict,
    DiskFull,
    IdentityUnavailable,
    LorryError,
    NotFound,
    PortError,
    Refused,
    Rejected,
    RuntimeUnavailable,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    Violation,
)

MAX_DETAILS = 100
MAX_SHOWN_LENGTH = 200
RETRY_AFTER_SECONDS = 5

log = structlog.get_logger("lorry.api")


class ApiError(LorryError):
    """An error only HTTP knows of; `headers` go with the answer, `facts` into its body."""

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[Violation] = (),
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, details=details)
        self.headers = dict(headers or {})
        self.facts = dict(facts or {})


class RateLimited(ApiError):
    code = "RATE_LIMITED"


class LaunchFailed(ApiError):
    """The job was accepted and kept, but its container could not be started."""

    code = "LAUNCH_FAILED"


class NotReady(ApiError):
    code = "NOT_READY"


_STATUS: dict[type[LorryError], HTTPStatus] = {
    Rejected: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Refused: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    LaunchFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    IdentityUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    RuntimeUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    PortError: HTTPStatus.BAD_GATEWAY,
    LorryError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# What the framework itself refuses: code and sentence by status.
_FRAMEWORK_ERRORS: dict[int, tuple[str, str]] = {
    400: ("INVALID_BODY", "The body could not be read."),
    404: ("NOT_FOUND", "There is nothing at this path."),
    405: ("METHOD_NOT_ALLOWED", "This path does not answer to this method."),
    413: ("TOO_LARGE", "The body is larger than this path takes."),
}

# Words for people where the validator's own speak of Python.
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "model_attributes_type": "must be a JSON object, sent with Content-Type: application/json",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "string_unicode": "must be valid UTF-8",
    "list_type": "must be a list",
}


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(LorryError, _lorry_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(ClientDisconnect, _cut_off)


class ErrorBoundary:
    """Outermost catch: whatever nobody expected becomes a 500 without internals and a log line with a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            log.exception("unexpected error")
            if has_started or scope["type"] != "http":
                raise
            await _internal(Request(scope))(scope, receive, send)


def status_of(error: LorryError) -> HTTPStatus:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def render(
    request: Request,
    *,
    status: int,
    code: str,
    message: str,
    details: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> JSONResponse:
    body = {
        "ok": False,
        "error": code,
        "message": message,
        "details": [_detail(violation) for violation in details[:MAX_DETAILS]],
        "request_id": request.scope.get("state", {}).get("request_id"),
        **(facts or {}),
    }
    return JSONResponse(body, status, dict(headers or {}))


def _lorry_error(request: Request, exception: Exception) -> Response:
    error = cast(LorryError, exception)
    status = status_of(error)
    if type(error) is LorryError:
        log.error("unexpected domain error", code=error.code, exc_info=error)
        return _internal(request)
    return render(
        request,
        status=status,
        code=error.code,
        message=error.message,
        details=error.details,
        headers=_headers(error, status),
        facts=error.facts if isinstance(error, ApiError) else None,
    )


def _headers(error: LorryError, status: HTTPStatus) -> dict[str, str]:
    if isinstance(error, ApiError):
        return error.headers
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="lorry"'}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def _validation_error(request: Request, exception: Exception) -> Response:
    errors = cast(RequestValidationError, exception).errors()
    if errors[0]["type"] == "json_invalid":
        position = errors[0]["loc"][-1]
        reason = errors[0]["ctx"]["error"]
        message = f"The body is not valid JSON: {reason} at character {position}."
        return render(request, status=400, code="INVALID_JSON", message=message)
    details = [_violation(error) for error in errors]
    return render(request, status=400, code=Rejected.code, message=_summary(details), details=details)


def _violation(error: dict[str, Any]) -> Violation:
    where = error["loc"][1:] or error["loc"]
    message = _MESSAGES.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    is_value_telling = error["type"] not in ("missing", "extra_forbidden")
    return Violation(".".join(map(str, where)), message, error.get("input") if is_value_telling else None)


def _summary(details: Sequence[Violation]) -> str:
    if len(details) == 1:
        return f"{_clean(details[0].field)}: {details[0].message}."
    return f"{len(details)} fields of the request are wrong; `details` lists them."


def _framework_error(request: Request, exception: Exception) -> Response:
    error = cast(HTTPException, exception)
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = allowed_methods(request)
        headers = {"Allow": allowed} if allowed else headers
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    code, message = _FRAMEWORK_ERRORS.get(error.status_code, (f"HTTP_{error.status_code}", error.detail))
    if error.status_code == HTTPStatus.BAD_REQUEST and "json" in request.headers.get("content-type", ""):
        code, message = "INVALID_JSON", "The body is not valid JSON: bad UTF-8, nested too deep, or a number too long."
    return render(request, status=error.status_code, code=code, message=message, headers=headers)


def _cut_off(request: Request, _exception: Exception) -> Response:
    """For the access log: whoever sent half a body is not there to read it."""
    code, message = _FRAMEWORK_ERRORS[HTTPStatus.BAD_REQUEST]
    return render(request, status=HTTPStatus.BAD_REQUEST, code=code, message=message)


def _internal(request: Request) -> JSONResponse:
    message = "Something went wrong on our side. The log has the details under this request id."
    return render(request, status=500, code=LorryError.code, message=message)


def _detail(violation: Violation) -> dict[str, Any]:
    detail = {"field": _clean(violation.field), "message": violation.message}
    return {**detail, "value": violation.value} if _is_showable(violation.value) else detail


def _is_showable(value: Any) -> bool:
    """Whether a client's value can go back in JSON, and is short enough to help."""
    if isinstance(value, str):
        return len(value) <= MAX_SHOWN_LENGTH and _clean(value) == value
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | int)


def _clean(text: str) -> str:
    """Half a surrogate pair is legal in JSON's escapes and cannot be written as UTF-8."""
    return text[:MAX_SHOWN_LENGTH].encode("utf-8", "replace").decode("utf-8")
