"""Stories of a job: its container while it runs, its files afterwards, and a server that comes and goes meanwhile."""

from __future__ import annotations

import hashlib
import os
import re
import signal

import pytest
from docker.errors import NotFound

from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_INSTANCE, LABEL_JOB
from tests.e2e.installation import Installation, User
from tests.waiting import eventually

pytestmark = pytest.mark.docker

USER = "10001:10001" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"


def is_gone(installation: Installation, job_id: str) -> bool:
    try:
        installation.inspect(job_id)
    except NotFound:
        return True
    return False


def steps_of(user: User, job_id: str) -> list[int]:
    return [metric["step"] for metric in user.records(job_id, "metrics")]


def test_a_running_job_sits_in_a_locked_container_that_is_gone_afterwards(lorry_server, user):
    answer = user.submit("fake:seconds=3").json()
    job_id = answer["job_id"]
    assert (answer["ok"], answer["success"], answer["status"]) == (True, True, "running")

    details = lorry_server.inspect(job_id)
    config, host = details["Config"], details["HostConfig"]
    assert details["State"]["Running"]
    assert {mount["Destination"]: mount["RW"] for mount in details["Mounts"]} == {
        "/workspace/config.json": False,
        "/workspace/datasets": False,
        "/workspace/models": False,
        "/workspace/outputs": True,
    }
    assert config["User"] == USER
    assert (host["CapDrop"], host["CapAdd"], host["SecurityOpt"]) == (["ALL"], None, ["no-new-privileges:true"])
    assert (host["ReadonlyRootfs"], host["Privileged"], host["NetworkMode"]) == (True, False, "none")
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    labels = config["Labels"]
    assert (labels[LABEL_INSTANCE], labels[LABEL_JOB], labels[LABEL_ATTEMPT]) == (lorry_server.instance, job_id, "1")

    job = user.wait(job_id, "completed")
    assert (job["container_id"], job["image_digest"]) == (details["Id"], details["Image"])
    assert (job["exit_code"], job["end_reason"], job["progress"]) == (0, "adapter_verified", 100)
    eventually(lambda: is_gone(lorry_server, job_id), what="the container gone")


def test_what_a_job_made_is_listed_and_downloads_whole_or_in_part(user):
    job_id = user.start()
    user.wait(job_id, "completed")
    artifacts = user.records(job_id, "artifacts")
    assert {artifact["kind"] for artifact in artifacts} >= {"adapter", "sample", "checkpoint"}
    for artifact in artifacts:
        whole = user.http.get(f"/artifacts/{artifact['id']}/download")
        assert hashlib.sha256(whole.content).hexdigest() == artifact["sha256"], artifact["path"]
        assert len(whole.content) == artifact["size_bytes"]
    part = user.http.get(f"/artifacts/{artifact['id']}/download", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{artifact['size_bytes']}"
    assert (
        user.http.get(f"/artifacts/{artifact['id']}/download", headers={"Range": "bytes=9999999-"}).status_code == 416
    )


def test_a_sample_is_looked_at_while_its_job_still_trains_and_is_the_same_afterwards(user):
    job_id = user.start("fake:early_sample=1", "fake:seconds=600")
    (sample,) = eventually(lambda: user.records(job_id, "samples"), what="the first sample")
    picture = user.http.get(f"/artifacts/{sample['artifact_id']}/image")
    assert (picture.status_code, picture.content[:4]) == (200, b"\x89PNG")
    assert picture.headers["ETag"].strip('"') == hashlib.sha256(picture.content).hexdigest()
    assert (user.job(job_id)["status"], sample["step"]) == ("running", 0)

    user.http.post(f"/training/jobs/{job_id}/cancel")
    user.wait(job_id, "cancelled")
    assert user.records(job_id, "samples") == [sample]
    told = [event["data"] for event in user.records(job_id, "events") if event["type"] == "sample"]
    assert [data["artifact_id"] for data in told] == [sample["artifact_id"]]


def test_a_running_job_is_cancelled_and_its_container_removed(lorry_server, user):
    job_id = user.start("fake:hang=1")
    asked = user.http.post(f"/training/jobs/{job_id}/cancel", json={"reason": "changed my mind"})
    assert asked.status_code == 200
    job = user.wait(job_id, "cancelled")
    assert job["end_reason"] == "cancel_requested"
    eventually(lambda: is_gone(lorry_server, job_id), what="the container gone")
    again = user.http.post(f"/training/jobs/{job_id}/cancel")
    assert again.status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_outlives_the_server_and_the_next_one_takes_it_over(install, how):
    installation = install()
    first = installation.serve()
    user = installation.user("alice")
    job_id = user.start("fake:seconds=15")
    before = eventually(lambda: steps_of(user, job_id), what="a first metric")
    first.stop(how)
    container = installation.inspect(job_id)
    assert container["State"]["Running"]
    assert before[-1] < 1000

    installation.serve()
    user = installation.user("alice")
    job = user.wait(job_id, "completed")
    assert (job["container_id"], job["attempt"]) == (container["Id"], 1)
    assert steps_of(user, job_id) == list(range(50, 1001, 50))
    installation.wait_for_no_container()


def test_the_two_halves_work_as_two_processes_and_a_third_stands_by(install):
    installation = install()
    installation.serve("api")
    orchestrator = installation.start("orchestrate")
    user = installation.user("alice")
    job_id = user.start()
    assert user.wait(job_id, "completed")["end_reason"] == "adapter_verified"

    late = installation.start("orchestrate")
    said = late.wait_for(re.compile(r".*standby: another process orchestrates on this store.*"))
    assert f"(pid {orchestrator.popen.pid})" in said[0]
    assert late.stop() == 0
    assert orchestrator.stop() == 0
    installation.wait_for_no_container()
