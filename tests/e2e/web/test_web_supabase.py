"""Signing in with an account of a Supabase project, in a browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import Installation
from tests.e2e.web.browser import person
from tests.integration.supabase.server import PUBLISHABLE_KEY, SupabaseServer
from tests.postgres import Postgres

pytestmark = pytest.mark.docker

EMAIL, PASSWORD = "maryam@example.org", "a long enough sentence"


@pytest.fixture
def project(postgres: Postgres) -> Iterator[SupabaseServer]:
    server = SupabaseServer(postgres.create_supabase())
    server.start()
    user_id = str(uuid.uuid4())
    server.sign_up(user_id)
    server.sign_in.set_password(user_id, EMAIL, PASSWORD)
    yield server
    server.stop()


@pytest.fixture
def site(install: MakeInstallation, project: SupabaseServer) -> Installation:
    installation = install(
        LORRY_SUPABASE_URL=project.url, LORRY_SUPABASE_PUBLISHABLE_KEY=PUBLISHABLE_KEY, LORRY_GPUS="none"
    )
    installation.serve()
    return installation


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_account_signs_in_stays_so_while_its_tokens_are_renewed_and_signs_out(
    browser: Browser, site: Installation, project: SupabaseServer
) -> None:
    with person(browser, site.url, may_ask=project.url) as somebody:
        page = somebody.page
        somebody.go("/jobs")
        sign_in(page, "something else")
        expect(page.get_by_role("alert")).to_contain_text("Invalid login credentials")
        somebody.photograph("sign-in-supabase")

        project.sign_in.token_seconds = 60  # so short that each is renewed before it is used again
        sign_in(page)
        expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
        assert project.sign_in.renewals > 0

        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/signin"))
        assert page.evaluate("Object.values(localStorage).join().includes('eyJ')") is False
        page.reload()
        expect(page.get_by_label("E-mail")).to_be_visible()
