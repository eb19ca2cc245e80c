"""A person in front of the web app: a real Chromium, whose every complaint fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "docs" / "images"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}

_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_STILL = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getTiming().iterations !== Infinity).map((each) => each.finished))"""
_GRAVE = ("serious", "critical")
# What Chromium says of each answer that is not a success; whether it should have been one is the test's to say.
_EXPECTED_COMPLAINT = "Failed to load resource"


class Person:
    """`page` is what they see; it may send requests to `url`, and to `may_ask` if that is given."""

    def __init__(self, page: Page, url: str, may_ask: str | None = None) -> None:
        self.page = page
        self.url = url
        self._known = (url, may_ask or url, "blob:", "data:")
        self.complaints: list[str] = []
        self.foreign_requests: list[str] = []
        page.on("console", self._note_complaint)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note_request(request.url))

    def sign_in(self, token: str) -> None:
        self.page.goto(f"{self.url}/signin")
        self.enter(token)
        expect(self.page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()

    def enter(self, token: str) -> None:
        """Sign in on the page that asks for it."""
        self.page.get_by_label("Token", exact=True).fill(token)
        self.page.get_by_role("button", name="Sign in").click()

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def row(self, job_id: str) -> Locator:
        return self.page.locator(f"[data-job='{job_id}']")

    def drop(self, path: Path, target: Locator) -> None:
        """A file or folder, as from the desktop: a script of the page may not make up folders."""
        box = target.bounding_box()
        assert box is not None
        drag = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        devtools = self.page.context.new_cdp_session(self.page)
        for step in ("dragEnter", "dragOver", "drop"):
            event = {"type": step, "x": box["x"] + 10, "y": box["y"] + 10, "data": drag}
            devtools.send("Input.dispatchDragEvent", event)
        devtools.detach()

    def require_accessible(self) -> None:
        """No serious finding of axe-core on what is on screen."""
        # As a debugger does: the page's own policy lets in no script that is not the app's.
        self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        findings: list[dict[str, Any]] = self.page.evaluate("async () => (await axe.run()).violations")
        grave = [
            f"{found['id']}: {node['html']} {node['failureSummary']}"
            for found in findings
            if found["impact"] in _GRAVE
            for node in found["nodes"]
        ]
        assert not grave, "\n".join(grave)

    def photograph(self, name: str) -> None:
        """The page in both colour schemes, for the docs; each must be accessible."""
        self.page.evaluate("window.scrollTo(0, 0)")
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            expect(self.page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            self.page.evaluate(_STILL)
            self.require_accessible()
            self.page.screenshot(path=PICTURES / f"{name}-{scheme}.png")

    def _note_complaint(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _EXPECTED_COMPLAINT not in message.text:
            self.complaints.append(message.text)

    def _note_request(self, url: str) -> None:
        if not url.startswith(self._known):
            self.foreign_requests.append(url)


@contextmanager
def person(browser: Browser, url: str, *, may_ask: str | None = None, **options: Any) -> Iterator[Person]:
    """Somebody with a fresh browser profile."""
    context: BrowserContext = browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce"} | options)
    context.set_default_timeout(60_000)
    try:
        somebody = Person(context.new_page(), url, may_ask)
        yield somebody
    finally:
        context.close()
    assert not somebody.complaints, "\n".join(somebody.complaints)
    assert not somebody.foreign_requests, somebody.foreign_requests
