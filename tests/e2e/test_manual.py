"""What the README and the pages of the manual tell a newcomer to type works as it stands there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, User
from tests.e2e.manual import ROOT, commands, run
from tests.factories import picture_bytes
from tests.unit.api.event_source import names, parse


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with the files that the README's commands name."""
    (tmp_path / "cat1.jpg").write_bytes(picture_bytes(64, 64, file_format="JPEG"))
    (tmp_path / "cat1.txt").write_text("گربه‌ای روی فرش")
    return tmp_path


def test_the_curl_lines_upload_submit_and_look(lorry_server: Installation, user: User, pictures: Path) -> None:
    upload, submit, look = commands("README.md", "curl ")
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
    submit, listing, download = commands("README.md", ".venv/bin/lorry ")[-3:]
    assert "completed" in run(submit, tmp_path, lorry_server, user)
    job_id = user.get("/training/jobs")[0]["id"]
    assert job_id in run(listing, tmp_path, lorry_server, user)
    assert "sha256" in run(download, tmp_path, lorry_server, user, JOB_ID=job_id)


def test_the_curl_lines_of_the_pages_on_streams_and_artifacts_follow_a_job_and_fetch_its_files(
    lorry_server: Installation, user: User, tmp_path: Path
) -> None:
    job_id = user.start()
    (follow,) = commands("docs/streams.md", "curl ")
    assert names(parse(run(follow, tmp_path, lorry_server, user, JOB=job_id).splitlines()))[-1] == "done"
    (fetch,) = commands("docs/artifacts.md", "curl ")
    adapter = next(file for file in user.records(job_id, "artifacts") if file["kind"] == "adapter")
    begun = tmp_path / "my-cat.safetensors"
    begun.write_bytes(user.http.get(f"/artifacts/{adapter['id']}/download").content[:1000])
    run(fetch, tmp_path, lorry_server, user, ID=adapter["id"])
    assert hashlib.sha256(begun.read_bytes()).hexdigest() == adapter["sha256"]
