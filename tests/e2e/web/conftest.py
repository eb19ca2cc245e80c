"""A browser, and people in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import Person, person

People = Callable[..., Person]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "No chromium here; tests/chromium.sh installs it."
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not have; it only ever loads our own pages.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def people(browser: Browser, lorry_server: Installation) -> Iterator[People]:
    """`people(user)`: that user in front of a browser, signed in; without one, somebody unknown."""
    with ExitStack() as stack:

        def arrive(user: User | None = None, **options: Any) -> Person:
            somebody = stack.enter_context(person(browser, lorry_server.url, **options))
            if user is not None:
                somebody.sign_in(token_of(user))
            return somebody

        yield arrive


def token_of(user: User) -> str:
    return user.http.headers["Authorization"].removeprefix("Bearer ")
