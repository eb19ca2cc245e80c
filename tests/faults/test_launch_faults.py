"""What a launch needs is missing or spoilt (rows 28 and 30 of the fault plan)."""

from __future__ import annotations

import shutil

import pytest
from docker.errors import APIError

from tests.waiting import eventually

IMAGE = "lorry-fake-trainer"


@pytest.fixture
def late_image(engine):
    """The name of an image that is not there yet; whoever needs it tags it."""
    name = f"{engine.instance}-late"
    yield name
    try:
        engine.client.remove_image(name)
    except APIError as error:
        assert error.status_code == 404  # noqa: PT017 - the tag may never have been made


def test_jobs_wait_for_a_missing_image_and_start_when_it_appears(install, engine, late_image):
    installation = install(LORRY_IMAGE=late_image)
    installation.serve()
    alice = installation.user("alice")
    eventually(lambda: "image is missing" in installation.probe("/ready").text, what="a first look at the engine")
    job_id = alice.start()
    job = alice.job(job_id)
    assert (job["status"], job["attempt"]) == ("queued", 0)
    assert f"the training image '{late_image}' is not on this machine" in job["queue"]["reason"]

    engine.client.tag(IMAGE, late_image)
    assert alice.wait(job_id, "completed")["attempt"] == 1
    assert installation.probe("/ready").status_code == 200


def test_an_image_that_is_not_allowed_is_refused_and_its_job_not_tried_again(install):
    installation = install(LORRY_ALLOWED_IMAGES="another-image")
    installation.serve()
    installation.wait_until_ready()
    alice = installation.user("alice")
    answer = alice.submit()
    assert answer.status_code == 500
    job = alice.job(answer.json()["job_id"])
    assert (job["status"], job["end_reason"], job["attempt"]) == ("failed", "image_not_allowed", 1)
    assert installation.containers() == []


def test_a_dataset_that_is_gone_ends_the_job_before_any_container_and_no_folder_is_made_for_it(site, alice):
    dataset_id = alice.upload()
    folder = site.data_dir / "datasets" / dataset_id
    shutil.rmtree(folder)
    job_id = alice.start(dataset_id=dataset_id)

    site.start("orchestrate")
    job = alice.wait(job_id, "failed")
    assert (job["end_reason"], job["container_id"]) == ("dataset_missing", None)
    assert not folder.exists()


def test_an_outputs_folder_that_belongs_to_root_is_given_to_the_containers_user(site, alice):
    job_id = alice.start()
    outputs = site.data_dir / "outputs" / job_id
    outputs.mkdir(parents=True, mode=0o700)

    site.start("orchestrate")
    alice.wait(job_id, "completed")
    assert outputs.stat().st_uid != 0


def test_an_outputs_folder_that_cannot_be_made_is_an_error_before_any_container(site, alice):
    job_id = alice.start()
    outputs = site.data_dir / "outputs" / job_id
    outputs.parent.mkdir(parents=True, exist_ok=True)
    outputs.write_text("in the way")

    site.start("orchestrate", LORRY_MAX_RETRIES="1")
    job = alice.wait(job_id, "failed")
    assert (job["end_reason"], job["container_id"]) == ("launch_refused", None)
    assert "The job's folders could not be written" in job["error_message"]
