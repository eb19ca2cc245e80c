"""How often a user may ask, and how often an address may present tokens that are refused.

slowapi's limiter counts, for a user rather than for a route: what is counted under one name is one allowance, whichever
path was called, so `/training/submit` and `/training/jobs`, `/api` and `/api/v1` share theirs. (Its middleware limits
nothing behind FastAPI's included routers, issue 281.)
"""

from __future__ import annotations

import math
import time

import limits
from fastapi import Request
from slowapi import Limiter

from api.errors import RateLimited
from api.moving_windows import MovingWindows
from api.options import ApiOptions


class RateLimits:
    """Counts are kept in this process."""

    def __init__(self, options: ApiOptions) -> None:
        """Raises ValueError for a rate that is none."""
        self._request_rate = limits.parse(options.request_rate)
        self._submit_rate = limits.parse(options.submit_rate)
        self._failure_rate = limits.parse(options.failed_authentication_rate)
        limiter = Limiter(key_func=_caller, strategy="moving-window", storage_uri=f"{MovingWindows.SCHEME}://")
        self._limiter = limiter.limiter

    def count_request(self, request: Request) -> dict[str, str]:
        """The X-RateLimit-* headers of the answer. Raises RateLimited."""
        return self._count(self._request_rate, "requests", _caller(request))

    def count_submission(self, request: Request) -> dict[str, str]:
        """The X-RateLimit-* headers of the answer. Raises RateLimited."""
        return self._count(self._submit_rate, "submissions", _caller(request))

    def count_failed_authentication(self, address: str) -> None:
        """Raises RateLimited. Never asked for a good token: behind one proxy, one guesser would lock out everybody."""
        self._count(self._failure_rate, "refused tokens", address)

    def _count(self, rate: limits.RateLimitItem, what: str, whose: str) -> dict[str, str]:
        is_allowed = self._limiter.hit(rate, what, whose)
        reset_at, remaining = self._limiter.get_window_stats(rate, what, whose)
        headers = {
            "X-RateLimit-Limit": str(rate.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(math.ceil(reset_at)),
        }
        if is_allowed:
            return headers
        seconds = max(1, math.ceil(reset_at - time.time()))
        raise RateLimited(
            f"Too many requests: {rate} is the limit. Try again in {seconds} seconds.",
            headers={**headers, "Retry-After": str(seconds)},
        )


def _caller(request: Request) -> str:
    """Set by the authentication dependency, which runs before anything is counted."""
    return f"user:{request.state.identity.user_id}"
