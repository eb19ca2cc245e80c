"""Routers whose plain functions are called in a thread, and only they.

FastAPI calls an endpoint that is no coroutine in a thread, and then checks its answer in another: ours is made of the
route's own model, which leaves nothing to check, and a thread's turn takes longer than most answers do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute


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
