"""The whole way in a browser with the real trainer: from photographs on the desktop to an adapter file on it."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import load

from tests.e2e.installation import Installation, User
from tests.e2e.training import PHOTOGRAPHS, TRAINED_WITHIN_SECONDS
from tests.e2e.web.browser import Person, person

pytestmark = [pytest.mark.docker, pytest.mark.trainer]

STEPS = 100
# Noted by the page itself: a test that looks now and then might miss a training that is quick.
NOTE_HOW_THE_CURVE_GROWS = """() => {
  window.curve = [];
  new MutationObserver(() => {
    const points = document.querySelectorAll("details tbody tr").length;
    const canvas = document.querySelector("[role='img'][aria-label='Loss'] canvas");
    const isRunning = document.querySelector("[data-status='running']") !== null;
    if (isRunning && canvas !== null && points !== window.curve.at(-1)?.points)
      window.curve.push({ points, drawing: canvas.toDataURL() });
  }).observe(document.body, { childList: true, subtree: true });
}"""


def test_photographs_are_dropped_captioned_trained_on_watched_and_become_a_file(
    browser: Browser, training_server: Installation, tmp_path: Path
) -> None:
    user = training_server.user("somebody in a browser")
    with person(browser, training_server.url) as somebody:
        somebody.sign_in(user.token)
        upload(somebody, tmp_path)
        submit(somebody.page)
        watch(somebody.page)
        look_at_samples(somebody)
        download(somebody.page, user)


def upload(somebody: Person, folder: Path) -> None:
    """Three photographs, of which one has no caption yet."""
    page = somebody.page
    cats = folder / "cats"
    cats.mkdir()
    for name in ("cat-face.jpg", "cat-left.jpg", "cat-left.txt", "cat-right.jpg", "cat-right.txt"):
        shutil.copy(PHOTOGRAPHS / name, cats)
    page.get_by_role("link", name="Datasets").click()
    somebody.drop(cats, page.get_by_role("group", name="New dataset"))
    page.get_by_label("Name").fill("cats")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="cats")).to_be_visible()

    caption = page.get_by_label("Caption of cats/cat-face.jpg")
    expect(caption).to_have_value("")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        caption.fill("the face of a cat")
        caption.press("Enter")
    page.reload()
    expect(caption).to_have_value("the face of a cat")


def submit(page: Page) -> None:
    page.get_by_role("link", name="Train on it").click()
    page.get_by_role("radio", name="lorry/tiny-sd15").click()
    page.get_by_label("Name").fill("watched")
    page.get_by_label("steps", exact=True).fill(str(STEPS))
    page.get_by_label("resolution", exact=True).fill("256")
    expect(page.get_by_text("Trained on")).to_be_visible()
    page.get_by_role("button", name="Submit the job").click()
    expect(page.get_by_role("heading", name="watched")).to_be_visible()


def watch(page: Page) -> None:
    """The curve gets longer on a page that is not touched."""
    page.evaluate(NOTE_HOW_THE_CURVE_GROWS)
    expect(page.locator("[data-status='completed']")).to_be_visible(timeout=TRAINED_WITHIN_SECONDS * 1000)
    curve: list[dict[str, Any]] = page.evaluate("window.curve")
    points = [each["points"] for each in curve]
    assert len(points) >= 3, points
    assert points == sorted(set(points))
    assert len({each["drawing"] for each in curve}) > 1


def look_at_samples(somebody: Person) -> None:
    page = somebody.page
    page.get_by_role("tab", name="Samples").click()
    slider = page.get_by_role("slider", name="Step")
    for key, step in (("Home", 0), ("End", STEPS)):
        slider.press(key)
        expect(page.get_by_role("img", name=f"Sample of step {step}:").first).to_be_visible()
    page.get_by_label("Compare two steps").check()
    for step in (0, STEPS):
        expect(page.get_by_role("img", name=f"Sample of step {step}:").first).to_be_visible()
    page.get_by_role("slider", name="Where the left picture ends").first.press("ArrowRight")
    somebody.photograph("job-samples")


def download(page: Page, user: User) -> None:
    """By the browser itself; what has arrived is what the page and the API promised."""
    page.get_by_role("tab", name="Files").click()
    name = "watched.safetensors"
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {name}").click()
    content = Path(download.value.path()).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    expect(page.get_by_role("row", name=re.compile(f"^{re.escape(name)}")).get_by_title(digest)).to_be_visible()
    assert download.value.suggested_filename == name
    assert download.value.url.startswith("http")  # no copy in the page's memory
    job_id = page.url.partition("/jobs/")[2].partition("?")[0]
    assert digest in {file["sha256"] for file in user.records(job_id, "artifacts") if file["kind"] == "adapter"}
    assert load(content)
