"""Experiments: begun, looked at, changed, measured, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.installation import BOB, Installation

EXPERIMENTS = "/api/experiments"


def get(lorry: Installation, experiment_id: str) -> Any:
    answer = lorry.client.get(f"{EXPERIMENTS}/{experiment_id}", headers=lorry.as_user())
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_an_experiment_shows_its_jobs_with_params_and_metrics_side_by_side(lorry: Installation) -> None:
    experiment_id = lorry.experiment(name="گربه", params={"seed": 42, "flip": True, "rate": 0.5, "note": "a"})
    dataset = lorry.dataset()
    ranks = [8, 32]
    jobs = []
    for rank in ranks:
        jobs.append(lorry.submit(dataset_id=dataset, experiment_id=experiment_id, config={"lora_rank": rank}))
        lorry.clock.advance(1)
    lorry.submit()

    shown = get(lorry, experiment_id)

    assert (shown["name"], shown["job_count"]) == ("گربه", 2)
    assert shown["params"] == {"seed": 42, "flip": True, "rate": 0.5, "note": "a"}
    assert [job["job_id"] for job in shown["jobs"]] == jobs
    assert [job["config"]["lora_rank"] for job in shown["jobs"]] == ranks
    assert [difference["field"] for difference in shown["differences"]] == ["config.lora_rank"]
    assert shown["jobs"][0]["result"]["run_seconds"] == 0.0


def test_a_list_says_how_many_jobs_each_has_newest_first(lorry: Installation) -> None:
    first = lorry.experiment()
    lorry.clock.advance(1)
    second = lorry.experiment()
    lorry.submit(experiment_id=first)

    listed = lorry.client.get(EXPERIMENTS, headers=lorry.as_user()).json()

    assert [(each["id"], each["job_count"]) for each in listed["data"]] == [(second, 0), (first, 1)]
    assert listed["total"] == 2
    assert lorry.client.get(EXPERIMENTS, headers=lorry.as_user(BOB)).json()["total"] == 0


def test_what_a_person_found_out_stands_beside_what_the_trainer_measured(lorry: Installation) -> None:
    experiment_id = lorry.experiment()
    job_id = lorry.submit(experiment_id=experiment_id)
    path = f"{EXPERIMENTS}/{experiment_id}/jobs/{job_id}"

    lorry.client.patch(path, json={"metrics": {"likeness": 3, "speed": 1.5}}, headers=lorry.as_user())
    answer = lorry.client.patch(path, json={"metrics": {"likeness": 4, "speed": None}}, headers=lorry.as_user())

    assert answer.status_code == 200
    assert get(lorry, experiment_id)["jobs"][0]["measured"] == {"likeness": 4.0}


def test_a_job_of_no_experiment_has_nothing_to_measure(lorry: Installation) -> None:
    path = f"{EXPERIMENTS}/{lorry.experiment()}/jobs/{lorry.submit()}"
    answer = lorry.client.patch(path, json={"metrics": {"likeness": 3}}, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (404, "JOB_NOT_FOUND")
    assert "is not part of experiment" in answer.json()["message"]


def test_what_is_changed_changes_and_the_rest_stays(lorry: Installation) -> None:
    experiment_id = lorry.experiment(description="How small?", params={"a": 1})
    answer = lorry.client.patch(
        f"{EXPERIMENTS}/{experiment_id}", json={"name": "new", "params": {"b": 2}}, headers=lorry.as_user()
    )
    shown = answer.json()["data"]
    assert (shown["name"], shown["description"], shown["params"]) == ("new", "How small?", {"b": 2})
    cleared = lorry.client.patch(
        f"{EXPERIMENTS}/{experiment_id}", json={"description": None}, headers=lorry.as_user()
    ).json()["data"]
    assert (cleared["name"], cleared["description"]) == ("new", None)


def test_deleting_an_experiment_keeps_its_jobs(lorry: Installation) -> None:
    experiment_id = lorry.experiment()
    job_id = lorry.submit(experiment_id=experiment_id)

    assert lorry.client.delete(f"{EXPERIMENTS}/{experiment_id}", headers=lorry.as_user()).status_code == 200

    assert lorry.client.get(f"{EXPERIMENTS}/{experiment_id}", headers=lorry.as_user()).status_code == 404
    job = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user()).json()["data"]
    assert (job["status"], job["experiment_id"]) == ("queued", None)


def test_an_admin_may_look_at_anybodys(lorry: Installation) -> None:
    experiment_id = lorry.experiment(BOB)
    assert lorry.client.get(f"{EXPERIMENTS}/{experiment_id}", headers=lorry.as_admin()).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a", "params": {"deep": {"er": 1}}}, "params.deep"),
        ({"name": "a", "params": {"huge": 1e300}}, "params.huge"),
        ({"name": "a", "params": {f"p{number}": 1 for number in range(101)}}, "params"),
        ({"name": "a", "colour": "red"}, "colour"),
    ],
)
def test_what_is_no_experiment_is_refused_with_the_field(lorry: Installation, body: Any, field: str) -> None:
    answer = lorry.client.post(EXPERIMENTS, json=body, headers=lorry.as_user())
    assert answer.status_code == 400
    assert all(detail["field"].startswith(field) for detail in answer.json()["details"])
