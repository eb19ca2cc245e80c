"""What the report on the functional training system tested, in its order: the diagnostic job in its real container.

Its answers are in our envelope, its endpoints ask for a token, and where it wrote status files there is the job store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, User
from tests.e2e.manual import commands, run
from tests.e2e.training import TRAINED_WITHIN_SECONDS
from tests.waiting import eventually

pytestmark = [pytest.mark.docker, pytest.mark.trainer]

ROWS = "x,y\n" + "".join(f"{n / 40},{(n / 40) ** 2}\n" for n in range(40))
EPOCHS = 5


@dataclass(frozen=True)
class Trainings:
    """Two jobs that ended: one on rows that came with it, one on rows that the trainer made up."""

    user: User
    answers: dict[str, dict[str, Any]]
    ends: dict[str, dict[str, Any]]

    @property
    def job_ids(self) -> list[str]:
        return [answer["job_id"] for answer in self.answers.values()]


def start(user: User, **body: Any) -> dict[str, Any]:
    answer = user.http.post("/train", json=body)
    assert answer.status_code == 201, answer.text
    started: dict[str, Any] = answer.json()["data"]
    return started


def ended(user: User, job_id: str) -> dict[str, Any]:
    def look() -> Any:
        found = user.get("/train/status", job_id=job_id)
        return found if found["completed_at"] else None

    end: dict[str, Any] = eventually(look, within_seconds=TRAINED_WITHIN_SECONDS, what="the end of the diagnostic job")
    return end


@pytest.fixture(scope="module")
def trainings(training_server: Installation) -> Trainings:
    user = training_server.user("first user")
    bodies = {"csv": {"dataset": ROWS}, "synthetic": {}}
    answers = {kind: start(user, epochs=EPOCHS, batch_size=8, lr=0.01, **body) for kind, body in bodies.items()}
    return Trainings(user, answers, {kind: ended(user, answer["job_id"]) for kind, answer in answers.items()})


@pytest.fixture
def another(training_server: Installation) -> User:
    return training_server.user("second user")


def test_the_health_endpoint_responds(training_server: Installation) -> None:
    health = training_server.probe("/health").json()
    assert (health["ok"], bool(health["timestamp"]), health["service"]) == (True, True, "lorry")


def test_post_train_creates_a_job_and_returns_its_job_id(trainings: Trainings) -> None:
    for answer in trainings.answers.values():
        assert answer["job_id"]
        assert answer["status"] in ("queued", "pending", "running")


@pytest.mark.parametrize("rows", ["csv", "synthetic"])
def test_the_script_executes_on_rows_of_ones_own_and_on_made_up_ones_and_completes(
    trainings: Trainings, rows: str
) -> None:
    end = trainings.ends[rows]
    assert (end["status"], end["progress"], end["error_message"]) == ("completed", 100, None)
    events = trainings.user.records(end["job_id"], "events")
    (result,) = [event["data"] for event in events if event["type"] == "result"]
    assert result["eval_loss_after"] < result["eval_loss_before"]


@pytest.mark.parametrize("rows", ["csv", "synthetic"])
def test_status_returns_progress_epoch_and_loss(trainings: Trainings, rows: str) -> None:
    end = trainings.ends[rows]
    assert (end["step"], end["epoch"]) == (end["total_steps"], EPOCHS)
    assert end["loss"] < 1


@pytest.mark.parametrize("rows", ["csv", "synthetic"])
def test_progress_updates_are_recorded(trainings: Trainings, rows: str) -> None:
    metrics = trainings.user.records(trainings.answers[rows]["job_id"], "metrics")
    assert len(metrics) > 1
    assert [metric["step"] for metric in metrics] == sorted({metric["step"] for metric in metrics})


@pytest.mark.parametrize("rows", ["csv", "synthetic"])
def test_the_model_is_saved(trainings: Trainings, rows: str) -> None:
    files = trainings.user.records(trainings.answers[rows]["job_id"], "artifacts")
    (model,) = [file for file in files if file["kind"] == "model"]
    received = trainings.user.http.get(f"/artifacts/{model['id']}/download")
    assert len(received.content) == model["size_bytes"]


def test_train_jobs_lists_all_jobs(trainings: Trainings) -> None:
    assert [job["job_id"] for job in trainings.user.get("/train/jobs")] == trainings.job_ids[::-1]


def test_train_stop_stops_a_running_job(training_server: Installation, another: User) -> None:
    job_id = start(another, epochs=1000, batch_size=1)["job_id"]
    eventually(
        lambda: another.get("/train/status", job_id=job_id)["step"] > 0,
        within_seconds=TRAINED_WITHIN_SECONDS,
        what="a first step",
    )
    assert another.http.post("/train/stop", json={"job_id": job_id}).status_code == 200
    assert ended(another, job_id)["status"] == "cancelled"


def test_its_curl_lines_start_look_list_and_stop(training_server: Installation, another: User, tmp_path: Path) -> None:
    """As the manual has them: with a token, and without a dataset's path, which no server of ours would read."""
    begin, look, listing, stop = commands("docs/diagnostic.md", "curl ")
    job_id = json.loads(run(begin, tmp_path, training_server, another))["data"]["job_id"]
    for command in (look, listing, stop):
        answer = json.loads(run(command, tmp_path, training_server, another, JOB_ID=job_id))
        assert job_id in str(answer["data"])
    assert ended(another, job_id)["status"] == "cancelled"


def test_rows_that_are_no_numbers_end_with_the_trainers_own_sentence(another: User) -> None:
    end = ended(another, start(another, dataset="x,y\n" + "1,<script>\n" * 9)["job_id"])
    assert end["status"] == "failed"
    assert "rows.csv: line 2 is not 2 numbers" in end["error_message"]
