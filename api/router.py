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


def reads_few(endpoint: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    """Marks an endpoint that asks for a few rows and nothing else: what is asked most, by whoever polls."""
    return _called(call_at_once, endpoint)


class _Route(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        called = endpoint if iscoroutinefunction(endpoint) else _called(run_in_threadpool, endpoint)
        super().__init__(path, called, **settings)


class Router(APIRouter):
    def __init__(self, **settings: Any) -> None:
        super().__init__(route_class=_Route, **settings)


def _called(by: Callable[..., Awaitable[T]], endpoint: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    @wraps(endpoint)
    async def call(**arguments: Any) -> T:
        return await by(endpoint, **arguments)

    return call
