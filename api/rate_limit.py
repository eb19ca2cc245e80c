"""How often a user may ask, and how often an address may present tokens that are refused.

slowapi's decorator counts (its middleware limits nothing behind FastAPI's included routers, issue 281). It is put on
two small functions rather than on routes: what one function counts is one allowance, whichever path was called, so
`/training/submit` and `/training/jobs`, `/api` and `/api/v1` share theirs.
"""

from __future__ import annotations

import math
import time
from typing import Any, cast

import limits
from fastapi import Request
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from api.errors import RateLimited
from api.options import ApiOptions


async def _request(request: Request) -> None:
    """Counted by the decorator."""


async def _submission(request: Request) -> None:
    """Counted by the decorator."""


class RateLimits:
    """Counts are kept in this process."""

    def __init__(self, options: ApiOptions) -> None:
        for rate in (options.request_rate, options.submit_rate):
            limits.parse(rate)  # raises ValueError; slowapi would only log it, and then limit nothing
        self._limiter = Limiter(key_func=_caller, key_style="endpoint", strategy="moving-window")
        self._count_request = self._limiter.limit(options.request_rate)(_request)
        self._count_submission = self._limiter.limit(options.submit_rate)(_submission)
        self._failures = MovingWindowRateLimiter(MemoryStorage())
        self._failure_rate = limits.parse(options.failed_authentication_rate)

    async def count_request(self, request: Request) -> dict[str, str]:
        """The X-RateLimit-* headers of the answer. Raises RateLimited."""
        return await self._count(self._count_request, request)

    async def count_submission(self, request: Request) -> dict[str, str]:
        """The X-RateLimit-* headers of the answer. Raises RateLimited."""
        return await self._count(self._count_submission, request)

    def count_failed_authentication(self, address: str) -> None:
        """Raises RateLimited. Never asked for a good token: behind one proxy, one guesser would lock out everybody."""
        if not self._failures.hit(self._failure_rate, address):
            window = self._failures.get_window_stats(self._failure_rate, address)
            raise _rate_limited(self._failure_rate, window)

    async def _count(self, counted: Any, request: Request) -> dict[str, str]:
        # slowapi checks a request once and then remembers that it did; a submission is checked twice.
        request.scope["state"].pop("_rate_limiting_complete", None)
        try:
            await counted(request=request)
        except RateLimitExceeded as error:
            raise _rate_limited(*self._window(request)) from error
        return _headers(*self._window(request))

    def _window(self, request: Request) -> tuple[limits.RateLimitItem, tuple[float, int]]:
        rate, identifiers = request.state.view_rate_limit
        window = self._limiter.limiter.get_window_stats(rate, *identifiers)
        return rate, cast(tuple[float, int], window)


def _caller(request: Request) -> str:
    """Set by the authentication dependency, which runs before anything is counted."""
    return f"user:{request.state.identity.user_id}"


def _headers(rate: limits.RateLimitItem, window: tuple[float, int]) -> dict[str, str]:
    reset_at, remaining = window
    return {
        "X-RateLimit-Limit": str(rate.amount),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(reset_at)),
    }


def _rate_limited(rate: limits.RateLimitItem, window: tuple[float, int]) -> RateLimited:
    seconds = max(1, math.ceil(window[0] - time.time()))
    return RateLimited(
        f"Too many requests: {rate} is the limit. Try again in {seconds} seconds.",
        headers={**_headers(rate, window), "Retry-After": str(seconds)},
    )
