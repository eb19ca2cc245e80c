"""Lines that the manual's pages tell people to type, as a shell runs them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.installation import Installation, User
from tests.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"


def commands(page: str, beginning: str) -> list[str]:
    """A page's commands that begin so, each on one line."""
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = re.sub(r"\\\n\s*", "", "\n".join(blocks)).splitlines()
    return [line for line in lines if line.startswith(beginning)]


def run(command: str, folder: Path, server: Installation, user: User, **ids: str) -> str:
    """What a shell prints that runs it; words in capitals, and variables, stand for ids."""
    for placeholder, value in ids.items():
        command = re.sub(rf"(?<!\$)\b{placeholder}\b", value, command)
    command = command.replace(".venv/bin/lorry", f"{shlex.quote(sys.executable)} -m cli.main")
    environment: Mapping[str, str] = server.environment | {
        "LORRY_URL": server.url,
        "LORRY_TOKEN": user.token,
        "PYTHONPATH": str(ROOT),
        **ids,
    }
    done = subprocess.run(
        ["bash", "-c", command.replace(ADDRESS, server.url)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
