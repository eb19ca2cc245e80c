"""What an adapter was made from is told by its job and by its file, and making it once more gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from tests.e2e.installation import User

pytestmark = pytest.mark.docker

OWN_TO_A_JOB = {"lorry.job_id", "lorry.model_version"}


def adapters(user: User, job_id: str, folder: Path) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
    """Metadata and tensors of a job's adapter files, by their paths."""
    found = {}
    for number, artifact in enumerate(user.records(job_id, "artifacts")):
        if artifact["kind"] != "adapter":
            continue
        file = folder / f"{job_id}-{number}.safetensors"
        file.write_bytes(user.http.get(f"/artifacts/{artifact['id']}/download").content)
        with safe_open(file, "np") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no mapping
            found[artifact["path"]] = (opened.metadata(), tensors)
    return found


def test_a_job_its_file_and_its_rerun_tell_one_story(user, tmp_path):
    job_id = user.start("sks", name="my cat")
    user.wait(job_id, "completed")
    lineage = user.get(f"/training/jobs/{job_id}/lineage")
    first = adapters(user, job_id, tmp_path)
    assert len(first) == 2
    for metadata, _ in first.values():
        assert {name: value for name, value in metadata.items() if name.startswith("lorry.")} == lineage["metadata"]

    answer = user.http.post(f"/training/jobs/{job_id}/rerun")
    assert answer.status_code == 201, answer.text
    rerun = answer.json()["data"]
    assert rerun["differences"] == []
    rerun_id = rerun["job"]["id"]
    user.wait(rerun_id, "completed")
    second = adapters(user, rerun_id, tmp_path)
    assert first.keys() == second.keys()
    for path, (metadata, tensors) in first.items():
        changed = {name for name in metadata if metadata[name] != second[path][0].get(name)}
        assert {name for name in changed if name.startswith("lorry.")} == OWN_TO_A_JOB
        assert tensors.keys() == second[path][1].keys()
        assert all(np.array_equal(tensors[name], second[path][1][name]) for name in tensors), path

    versions = user.get("/models/registered/my%20cat")
    assert [(version["version"], version["job_id"]) for version in versions] == [(2, rerun_id), (1, job_id)]
    assert versions[1]["sha256"] == lineage["adapter"]["sha256"]
    assert user.get(f"/training/jobs/{job_id}/diff", **{"with": rerun_id}) == []
    assert user.get(f"/training/jobs/{rerun_id}/lineage")["rerun_of"] == job_id


def test_a_deleted_job_is_out_of_reach(user):
    job_id = user.start("sks", name="gone")
    user.wait(job_id, "completed")
    (adapter, *_) = [file for file in user.records(job_id, "artifacts") if file["kind"] == "adapter"]
    assert user.http.delete(f"/training/jobs/{job_id}").status_code == 200

    for path in (f"/training/jobs/{job_id}", f"/artifacts/{adapter['id']}/download", "/models/registered/gone"):
        assert user.http.get(path).status_code == 404
