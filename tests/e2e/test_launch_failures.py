"""Stories of a machine that is not in order: a clear sentence, the job kept, nothing half-made left behind."""

from __future__ import annotations

import shutil

import pytest

from tests.waiting import eventually

pytestmark = pytest.mark.docker

NO_SUCH_GPU = "GPU-11111111-1111-1111-1111-111111111111"


def failed_launch(user, reason, sentence, **changes):
    """The job of a submission that is answered with a launch that failed."""
    answer = user.submit(**changes)
    body = answer.json()
    assert (answer.status_code, body["ok"], body.get("error")) == (500, False, "LAUNCH_FAILED"), answer.text
    assert sentence in body["message"]
    job = user.job(body["job_id"])
    assert (job["status"], job["end_reason"], job["error_message"]) == ("failed", reason, body["message"])
    assert job["completed_at"] is not None
    return job


def model_leftovers(installation):
    """What is in the model cache besides finished models."""
    return [path.name for path in (installation.data_dir / "models").glob(".*")]


def test_without_the_training_image_a_job_waits_and_says_what_to_do(install):
    installation = install(LORRY_IMAGE="no-such-image")
    installation.serve()
    eventually(lambda: "image" in installation.probe("/ready").text, what="a first look at the engine")
    user = installation.user("alice")
    answer = user.submit().json()
    told = "the training image 'no-such-image' is not on this machine; build it with `make setup`"
    assert (answer["status"], told in answer["message"]) == ("queued", True), answer
    job = user.job(answer["job_id"])
    assert (job["status"], job["queue"]["reason"], job["container_id"]) == ("queued", told, None)
    assert installation.containers() == []
    assert installation.files_of(job["id"]) == []
    assert model_leftovers(installation) == []
    ready = installation.probe("/ready")
    assert (ready.status_code, ready.json()["details"][0]["field"]) == (503, "image")


def test_while_the_engine_is_down_a_job_stays_queued_and_says_so(install):
    installation = install(LORRY_DOCKER_HOST="unix:///nonexistent.sock")
    process = installation.serve()
    user = installation.user("alice")
    answer = user.submit()
    assert (answer.status_code, answer.json()["status"]) == (200, "queued"), answer.text
    job_id = answer.json()["job_id"]
    told = "the Docker Engine has not answered since"
    eventually(lambda: told in user.job(job_id)["queue"]["reason"], what="the reason")

    assert installation.probe("/health").status_code == 200
    ready = installation.probe("/ready")
    assert (ready.status_code, ready.json()["error"]) == (503, "NOT_READY")
    assert "The Docker Engine has not answered since" in ready.json()["message"]
    assert "Retry-After" in ready.headers
    assert (user.job(job_id)["status"], installation.files_of(job_id)) == ("queued", [])
    assert model_leftovers(installation) == []
    assert process.popen.poll() is None


def test_a_required_gpu_without_a_driver_fails_the_job_and_frees_the_lease(install):
    installation = install(LORRY_GPUS=NO_SUCH_GPU)
    installation.serve()
    installation.wait_until_ready()
    user = installation.user("alice")
    for _ in range(2):  # the second one would be queued if the first still held the GPU
        job = failed_launch(user, "gpu_unavailable", "GPU")
        installation.wait_for_no_container()  # the record comes first
        assert installation.files_of(job["id"]) == [f"configs/{job['id']}.json", f"outputs/{job['id']}"]


def test_a_dataset_whose_folder_vanished_fails_the_job(lorry_server, user):
    dataset_id = user.upload()
    shutil.rmtree(lorry_server.data_dir / "datasets" / dataset_id)
    job = failed_launch(user, "dataset_missing", "The dataset's files are no longer there.", dataset_id=dataset_id)
    assert job["container_id"] is None
    assert lorry_server.files_of(job["id"]) == []
