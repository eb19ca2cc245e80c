"""The picture of the terminal in the README: commands that were typed in one, and what they printed."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess

import pytest
from playwright.sync_api import Browser
from rich.console import Console
from rich.text import Text

from tests.e2e.installation import LORRY, Installation, User
from tests.e2e.web.browser import PICTURES, ROOT

pytestmark = pytest.mark.docker

COLUMNS, LINES = 136, 40
# What a live line is redrawn with, and what hides the cursor meanwhile.
_REDRAWN = re.compile(r"[^\n]*\r\x1b\[2K")
_CURSOR = re.compile(r"\x1b\[\?25[lh]")
_PAGE = """<style>
body {{ margin: 0; width: max-content }}
pre {{ margin: 0; padding: 24px; background: #14181d; color: #d5dbe3; font: 14px/1.35 'DejaVu Sans Mono', monospace }}
</style><pre>{code}</pre>"""


class Terminal:
    """Where a user types; it keeps what one would see."""

    def __init__(self, server: Installation, user: User) -> None:
        self.seen = ""
        self._environment = server.environment | {
            "LORRY_URL": server.url,
            "LORRY_TOKEN": user.token,
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LINES": str(LINES),
            "PYTHONPATH": str(ROOT),
        }

    def type(self, *arguments: str) -> str:
        """`lorry ARGUMENTS` on a pseudo-terminal; what it printed."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
        printed = self._run([*LORRY, *arguments])
        self.seen += f"\x1b[1;36m$\x1b[0m \x1b[1mlorry {shown}\x1b[0m\n{printed.rstrip()}\n\n"
        return printed

    def _run(self, command: list[str]) -> str:
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            printed = _read_all(ours)
        assert process.returncode == 0, printed
        return _CURSOR.sub("", _REDRAWN.sub("", printed.replace("\r\n", "\n")))


def _read_all(descriptor: int) -> str:
    chunks = []
    with open(descriptor, "rb", buffering=0) as file:
        try:
            while chunk := file.read(4096):
                chunks.append(chunk)
        except OSError:  # how Linux says that nobody writes to a pseudo-terminal any more
            pass
    return b"".join(chunks).decode()


def test_a_job_is_submitted_watched_and_looked_back_on_in_a_terminal(
    browser: Browser, lorry_server: Installation, user: User
) -> None:
    terminal = Terminal(lorry_server, user)
    settings = ("--steps", "400", "--name", "espresso cups", "--watch")
    terminal.type("submit", "configs/samples/photographs", "--base-model", "lorry/tiny-sd15", *settings)
    job_id = user.get("/training/jobs")[0]["id"]
    assert "espresso cups" in terminal.type("jobs")
    terminal.type("metrics", job_id, "--plot")

    recorder = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    recorder.print(Text.from_ansi(terminal.seen.rstrip()))
    page = browser.new_page(device_scale_factor=1.5)
    page.set_content(recorder.export_html(inline_styles=True, code_format=_PAGE))
    page.locator("pre").screenshot(path=PICTURES / "terminal.png")
    page.close()
