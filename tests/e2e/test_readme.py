"""What the README tells a newcomer to type works as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.installation import DEADLINE_SECONDS, Installation, User
from tests.factories import picture_bytes

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"


def commands(beginning: str) -> list[str]:
    """The README's commands that begin so, each on one line."""
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = re.sub(r"\\\n\s*", "", "\n".join(blocks)).splitlines()
    return [line for line in lines if line.startswith(beginning)]


def run(command: str, folder: Path, server: Installation, user: User, **ids: str) -> str:
    """What a shell prints that runs it; words in capitals stand for ids."""
    for placeholder, value in ids.items():
        command = re.sub(rf"\b{placeholder}\b", value, command)
    command = command.replace(".venv/bin/lorry", f"{shlex.quote(sys.executable)} -m cli.main")
    environment: Mapping[str, str] = server.environment | {
        "LORRY_URL": server.url,
        "LORRY_TOKEN": user.http.headers["Authorization"].removeprefix("Bearer "),
        "PYTHONPATH": str(ROOT),
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


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with the files that the README's commands name."""
    (tmp_path / "cat1.jpg").write_bytes(picture_bytes(64, 64, file_format="JPEG"))
    (tmp_path / "cat1.txt").write_text("گربه‌ای روی فرش")
    return tmp_path


def test_the_curl_lines_upload_submit_and_look(lorry_server: Installation, user: User, pictures: Path) -> None:
    upload, submit, look = commands("curl ")
    dataset = json.loads(run(upload, pictures, lorry_server, user))["data"]
    assert (dataset["name"], dataset["item_count"], dataset["captioned_count"]) == ("cats", 1, 1)
    submitted = json.loads(run(submit, pictures, lorry_server, user, ID=dataset["id"]))
    assert submitted["status"] in ("running", "queued"), submitted
    job = json.loads(run(look, pictures, lorry_server, user, JOB_ID=submitted["job_id"]))["data"]
    assert (job["id"], job["config"]["steps"]) == (submitted["job_id"], 200)


def test_the_lines_of_the_first_five_minutes_end_with_files(
    lorry_server: Installation, user: User, tmp_path: Path
) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    submit, listing, download = commands(".venv/bin/lorry ")[-3:]
    assert "completed" in run(submit, tmp_path, lorry_server, user)
    job_id = user.get("/training/jobs")[0]["id"]
    assert job_id in run(listing, tmp_path, lorry_server, user)
    assert "sha256" in run(download, tmp_path, lorry_server, user, JOB_ID=job_id)
