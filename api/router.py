"""Where a route's plain function is called: in a thread, or at once where it says that it reads only a few rows.

FastAPI calls an endpoint that is no coroutine in a thread, and then checks its answer in another: ours is made of the
route's own model, which leaves nothing to check.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from orchestrator.at_once import NotAtOnce, at_once
from orchestrator.domain.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")


async def call_at_once(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """On the event loop, or in a thread where a store will not answer without waiting: one that reads, and no more."""
    try:
        with at_once():
            return function(*args, **kwargs)
    except (NotAtOnce, StoreUnavailable):
        return await run_in_threadpool(function, *args, **kwargs)


def reads_few(endpoint: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Marks an endpoint that asks for a few rows and nothing else: what is asked most, by whoever polls."""

    @wraps(endpoint)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return await call_at_once(endpoint, *args, **kwargs)

    return call


class _Route(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _in_thread(endpoint), **settings)


class Router(APIRouter):
    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=_Route, **settings)


def _in_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(endpoint)
    async def call(**arguments: Any) -> Any:
        return await run_in_threadpool(endpoint, **arguments)

    return call
