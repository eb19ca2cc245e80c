"""People in front of a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import Person, person

People = Callable[..., Person]


@pytest.fixture
def people(browser: Browser, lorry_server: Installation) -> Iterator[People]:
    """`people(user)`: that user in front of a browser, signed in; without one, somebody unknown."""
    with ExitStack() as stack:

        def arrive(user: User | None = None, **options: Any) -> Person:
            somebody = stack.enter_context(person(browser, lorry_server.url, **options))
            if user is not None:
                somebody.sign_in(user.token)
            return somebody

        yield arrive
