"""Getting into the web app, and out of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Installation, User
from tests.e2e.web.browser import PHONE
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker


def test_a_sign_in_link_works_once(people: People, lorry_server: Installation) -> None:
    printed = lorry_server.run("token", "link", "--user", "ada", "--url", lorry_server.url)
    link = printed.stdout.strip()
    somebody = people()
    somebody.page.goto(link)
    expect(somebody.page).to_have_url(f"{lorry_server.url}/jobs")
    expect(somebody.page.get_by_role("heading", name="No jobs yet")).to_be_visible()

    another = people()
    another.page.goto(link)
    expect(another.page.get_by_role("alert")).to_contain_text("used already or has expired")


def test_a_wrong_token_is_refused_with_a_sentence(people: People) -> None:
    somebody = people()
    somebody.go("/signin")
    somebody.photograph("sign-in")
    somebody.page.get_by_label("Token", exact=True).fill("lorry_nonsense")
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.get_by_role("alert")).to_contain_text("not known here")


def test_whoever_opens_a_page_without_a_token_comes_back_to_it_after_signing_in(people: People, user: User) -> None:
    somebody = people()
    somebody.go("/jobs?q=cat")
    expect(somebody.page).to_have_url(re.compile("/signin"))
    somebody.enter(user.token)
    expect(somebody.page).to_have_url(re.compile(r"/jobs\?q=cat"))


def test_signing_out_leaves_nothing_behind(people: People, user: User) -> None:
    somebody = people(user)
    somebody.page.get_by_role("button", name="Sign out").click()
    expect(somebody.page).to_have_url(re.compile("/signin"))
    assert somebody.page.evaluate("localStorage.getItem('lorry-token')") is None


def test_persian_readers_get_persian_from_right_to_left(people: People, user: User) -> None:
    user.start(name="گربه‌ی من")
    somebody = people(user, viewport=PHONE)
    somebody.page.get_by_label("Language").select_option("fa")
    expect(somebody.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("کارها")
    expect(somebody.page.get_by_text("گربه‌ی من")).to_be_visible()
    somebody.photograph("jobs-persian-phone")
    somebody.page.reload()
    expect(somebody.page.locator("html")).to_have_attribute("dir", "rtl")
