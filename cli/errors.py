"""What a command may end with besides success: an exit code and sentences for people, never a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """Documented in `lorry --help`; scripts rely on them."""

    OK = 0
    FAILED = 1  # the job ended without an adapter, or a check failed
    USAGE = 2  # the command line, a local file or the token is wrong
    REFUSED = 3  # the server answered with an error
    UNREACHABLE = 4  # no server answered
    INTERRUPTED = 130  # Ctrl-C; a job that was being watched goes on


class CliError(Exception):
    """Ends the command with `exit_code` after printing its text to stderr."""

    exit_code = ExitCode.FAILED
    is_transient = False  # whether the same request may succeed in a moment


class CheckFailed(CliError):
    """What was asked for did not turn out well."""


class UsageProblem(CliError):
    exit_code = ExitCode.USAGE


class ServerUnreachable(CliError):
    exit_code = ExitCode.UNREACHABLE
    is_transient = True

    def __init__(self, doing: str, url: str, reason: str) -> None:
        super().__init__(
            f"Could not {doing}: no answer from {url} ({reason}). Is `lorry serve` running there? "
            "Another address goes into --url or LORRY_URL."
        )


class LorryApiError(CliError):
    """The server's own words: `code` is stable, `message` and `details` are for people."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self,
        doing: str,
        *,
        code: str,
        message: str,
        status: int,
        details: Sequence[dict[str, Any]] = (),
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(_sentences(doing, code, message, details, request_id))
        self.code = code
        self.message = message
        self.status = status
        self.details = list(details)
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.is_transient = status in (429, 502, 503, 504)


class InvalidRequest(LorryApiError):
    """400, 413: `details` names everything that is wrong with it."""


class NotAuthenticated(LorryApiError):
    """401: no token, or one that is unknown or has expired."""


class NotAllowed(LorryApiError):
    """403."""


class NotFound(LorryApiError):
    """404: unknown, or another user's."""


class Conflict(LorryApiError):
    """409: not in the state that it is in."""


class TooManyRequests(LorryApiError):
    """429: `retry_after_seconds` says when to come back."""


class Unavailable(LorryApiError):
    """502, 503, 504: the server, or something that it needs, is away for now."""


_BY_STATUS: dict[int, type[LorryApiError]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def api_error(doing: str, *, status: int, **facts: Any) -> LorryApiError:
    return _BY_STATUS.get(status, LorryApiError)(doing, status=status, **facts)


def _sentences(doing: str, code: str, message: str, details: Sequence[dict[str, Any]], request_id: str | None) -> str:
    source = code if request_id is None else f"{code}, request {request_id}"
    violations = (f"  {detail.get('field', '?')}: {detail.get('message', '')}" for detail in details)
    return "\n".join([f"Could not {doing}: {message} ({source})", *violations])
