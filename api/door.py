"""Who comes in where a browser sends no token: by token, or by a ticket in the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from api.dependencies import Credentials, Limits, identified, identify
from orchestrator.domain.identity import Identity

Ticket = Annotated[str | None, Query(description="A ticket that was asked for, instead of a token.", max_length=200)]


async def _holder(request: Request, credentials: Credentials, ticket: Ticket = None) -> Identity | None:
    """Whose token it is, settled before what was asked for; None where there is a ticket instead. Raises
    Unauthenticated, RateLimited."""
    return await identify(request, credentials) if ticket is None else None


class _Door:
    def __init__(
        self,
        request: Request,
        limits: Limits,
        holder: Annotated[Identity | None, Depends(_holder)],
        ticket: Ticket = None,
    ) -> None:
        self._request = request
        self._limits = limits
        self._holder = holder
        self._ticket = ticket

    async def let_in(self, redeem: Callable[[str], Identity]) -> Identity:
        """The token's owner, or whom `redeem` says that the ticket stands for. Raises Unauthenticated, RateLimited."""
        identity = self._holder or await identified(run_in_threadpool(redeem, self._ticket or ""), self._request)
        self._limits.count_request(self._request)
        return identity


Door = Annotated[_Door, Depends()]
