"""Datasets, models, analytics and comparison in a browser."""
# ruff: noqa: RUF001 - Persian letters, not Latin look-alikes

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import User
from tests.e2e.web.conftest import People

pytestmark = pytest.mark.docker

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "configs" / "samples" / "photographs"


def test_pictures_are_uploaded_and_their_captions_edited_by_keyboard(people: People, user: User) -> None:
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("heading", name="No datasets yet")).to_be_visible()
    page.locator("input[type=file]").set_input_files(sorted(PHOTOGRAPHS.glob("c*-*.*")))
    page.get_by_label("Name").fill("گربه‌ها و فنجان‌ها")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="گربه‌ها و فنجان‌ها")).to_be_visible()
    caption = page.get_by_label(re.compile("Caption of cat-face"))
    caption.fill("یک گربه")
    page.keyboard.press("Enter")
    expect(page.get_by_label(re.compile("Caption of cat-face"))).not_to_be_focused()
    page.reload()
    expect(page.get_by_label(re.compile("Caption of cat-face"))).to_have_value("یک گربه")
    somebody.photograph("dataset")
    page.get_by_role("link", name="Datasets").click()
    somebody.photograph("datasets")


def test_a_picture_that_is_rejected_is_not_trained_on(people: People, user: User) -> None:
    dataset_id = user.upload()
    somebody = people(user)
    somebody.go(f"/datasets/{dataset_id}")
    somebody.page.get_by_label("Approved").first.click()
    expect(somebody.page.get_by_text("Not trained on")).to_be_visible()
    expect(somebody.page.get_by_text("1 of 2 pictures may be trained on")).to_be_visible()


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(people: People, user: User, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_text("not a picture")
    somebody = people(user)
    somebody.go("/datasets")
    somebody.page.locator("input[type=file]").set_input_files(tmp_path / "cat.png")
    somebody.page.get_by_label("Name").fill("none")
    somebody.page.get_by_role("button", name="Upload").click()
    expect(somebody.page.get_by_role("alert")).to_contain_text("cat.png")


def test_jobs_are_compared_by_curve_and_by_what_differs(people: People, user: User) -> None:
    for rank in (4, 32):
        user.wait(user.start(name=f"rank {rank}", config={"lora_rank": rank}), "completed")
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="Analytics").click()
    for rank in (4, 32):
        page.get_by_label(f"Compare rank {rank}", exact=True).check()
    somebody.photograph("analytics")
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("img", name="Loss")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("config.lora_rank"))).to_contain_text("32")
    somebody.photograph("compare")


def test_the_catalogue_says_what_is_ready(people: People, user: User) -> None:
    somebody = people(user)
    somebody.page.get_by_role("link", name="Models").click()
    expect(somebody.page.get_by_text("lorry/tiny-sd15")).to_be_visible()
    somebody.photograph("models")
