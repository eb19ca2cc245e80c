"""History, metrics, logs and files of a job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.events import history_in, metrics_in, parse_line
from tests.contract.job_store import make_metric
from tests.unit.api.installation import BOB, Installation

JOBS = "/api/training/jobs"


@pytest.fixture
def job_id(lorry: Installation) -> str:
    job_id = lorry.submit()
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    return job_id


def report(lorry: Installation, job_id: str, *lines: bytes) -> None:
    """The job's trainer wrote `lines` and the orchestrator took them in."""
    events = [event for line in lines if (event := parse_line(line)) is not None]
    job = lorry.jobs.get(job_id)
    lorry.jobs.save(
        job,
        events=history_in(events, job_id=job_id, attempt=1, at=job.updated_at),
        metrics=metrics_in(events, job_id=job_id, attempt=1, at=job.updated_at),
    )


def test_a_curve_is_thinned_to_as_many_points_as_asked_for(lorry: Installation) -> None:
    job = lorry.jobs.get(lorry.submit())
    lorry.jobs.save(job, metrics=[make_metric(job, step, loss=9.0 if step == 77 else 0.5) for step in range(1, 201)])

    def steps(query: str = "") -> list[int]:
        answer = lorry.client.get(f"/api/training/jobs/{job.id}/metrics{query}", headers=lorry.as_user())
        return [row["step"] for row in answer.json()["data"]]

    assert len(steps()) == 200
    assert len(steps("?points=20")) <= 20
    assert {1, 77, 200} <= set(steps("?points=20"))
    for points in ("0", "9", "100001", "many"):
        answer = lorry.client.get(f"/api/training/jobs/{job.id}/metrics?points={points}", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "points")


def test_a_curve_says_how_many_points_it_stands_for_and_may_be_one_attempts(lorry: Installation) -> None:
    job = lorry.jobs.get(lorry.submit())
    rows = [replace(make_metric(job, step), attempt=attempt) for attempt in (1, 2) for step in range(1, 31)]
    lorry.jobs.save(job, metrics=rows)

    def told(query: str) -> tuple[bool, int]:
        path = f"{JOBS}/{job.id}/metrics?{query}"
        body = lorry.client.get(path, headers=lorry.as_user()).json()
        return body["total"] == len(body["data"]) <= 30, body["measured_count"]

    assert told("points=10") == (True, 60)
    assert told("points=10&attempt=2") == (True, 30)
    assert told("attempt=0") == (True, 0)


def test_metrics_come_in_order_of_steps(lorry: Installation, job_id: str) -> None:
    report(
        lorry,
        job_id,
        b'{"v": 1, "type": "metrics", "step": 20, "epoch": 2, "loss": 0.5, "val_loss": 0.6}',
        b'{"v": 1, "type": "metrics", "step": 10, "epoch": 1, "loss": 0.9}',
    )
    body = lorry.client.get(f"{JOBS}/{job_id}/metrics", headers=lorry.as_user()).json()
    assert [(row["step"], row["loss"], row["val_loss"]) for row in body["data"]] == [(10, 0.9, None), (20, 0.5, 0.6)]
    assert body["total"] == 2


def test_history_can_be_read_on_from_the_last_event_seen(lorry: Installation, job_id: str) -> None:
    path = f"{JOBS}/{job_id}/events"
    events = lorry.client.get(path, headers=lorry.as_user()).json()["data"]
    assert [event["type"] for event in events] == ["status", "status"]
    assert [event["new_status"] for event in events] == ["queued", "pending"]
    report(lorry, job_id, b'{"v": 1, "type": "checkpoint", "step": 500, "path": "checkpoints/500"}')
    newer = lorry.client.get(f"{path}?after={events[-1]['id']}", headers=lorry.as_user()).json()["data"]
    assert [(event["type"], event["data"]["step"]) for event in newer] == [("checkpoint", 500)]
    assert len(lorry.client.get(f"{path}?limit=1", headers=lorry.as_user()).json()["data"]) == 1


def test_text_a_trainer_broke_on_purpose_can_still_be_read(lorry: Installation, job_id: str) -> None:
    report(lorry, job_id, rb'{"v": 1, "type": "error", "code": "x", "message": "half \ud800 a pair \u0000"}')
    answer = lorry.client.get(f"{JOBS}/{job_id}/events", headers=lorry.as_user())
    assert answer.status_code == 200
    assert answer.json()["data"][-1]["message"].startswith("half ")


def test_the_end_of_the_log_is_lines_as_the_container_printed_them(lorry: Installation, job_id: str) -> None:
    lorry.workspace.append_log(job_id, ["one", "<script>", "سه"], at_bytes=0)
    body = lorry.client.get(f"{JOBS}/{job_id}/logs?tail=2", headers=lorry.as_user()).json()
    assert body["data"] == ["<script>", "سه"]
    assert (body["first_line"], body["line_count"]) == (2, 3)


def test_a_line_of_the_log_keeps_its_number_and_those_behind_any_line_are_read_on(
    lorry: Installation, job_id: str
) -> None:
    lorry.workspace.append_log(job_id, [f"line {number}" for number in range(1, 51)], at_bytes=0)
    body = lorry.client.get(f"{JOBS}/{job_id}/logs?after=20&tail=5", headers=lorry.as_user()).json()
    assert body["data"] == [f"line {number}" for number in range(21, 26)]
    assert (body["first_line"], body["line_count"]) == (21, 50)


def test_the_whole_log_is_a_file_to_save_and_nobody_elses(lorry: Installation, job_id: str) -> None:
    lorry.workspace.append_log(job_id, ["one", "<script>", "été"], at_bytes=0)
    answer = lorry.client.get(f"{JOBS}/{job_id}/logs/download", headers=lorry.as_user())
    assert answer.text == "one\n<script>\nété\n"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{job_id}.log"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert lorry.client.get(f"{JOBS}/{job_id}/logs/download", headers=lorry.as_user(BOB)).status_code == 404


@pytest.mark.parametrize(
    "query", ["logs?tail=0", "logs?tail=10001", "logs?after=-1", "events?limit=0", "events?after=-1"]
)
def test_what_is_asked_for_is_bounded(lorry: Installation, job_id: str, query: str) -> None:
    assert lorry.client.get(f"{JOBS}/{job_id}/{query}", headers=lorry.as_user()).status_code == 400


class TestDownload:
    DATA = bytes(range(256)) * 40

    @pytest.fixture
    def artifact(self, lorry: Installation, job_id: str) -> Artifact:
        return lorry.artifact(job_id, self.DATA, "گربه.safetensors")

    def test_a_job_lists_its_files_and_where_to_get_them(
        self, lorry: Installation, job_id: str, artifact: Artifact
    ) -> None:
        (listed,) = lorry.client.get(f"{JOBS}/{job_id}/artifacts", headers=lorry.as_user()).json()["data"]
        assert (listed["kind"], listed["size_bytes"], listed["sha256"]) == (
            "adapter",
            len(self.DATA),
            artifact.sha256,
        )
        assert lorry.client.get(listed["download_url"], headers=lorry.as_user()).content == self.DATA

    def test_a_file_is_something_to_save_and_never_to_show(self, lorry: Installation, artifact: Artifact) -> None:
        answer = lorry.client.get(f"/api/artifacts/{artifact.id}/download", headers=lorry.as_user())
        headers = answer.headers
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%DA%AF")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox")
        assert headers["ETag"] == f'"{artifact.sha256}"'
        assert headers["Accept-Ranges"] == "bytes"

    def test_a_broken_download_can_go_on(self, lorry: Installation, artifact: Artifact) -> None:
        path = f"/api/artifacts/{artifact.id}/download"
        ranged = lorry.as_user() | {"Range": "bytes=1000-1999", "If-Range": f'"{artifact.sha256}"'}
        answer = lorry.client.get(path, headers=ranged)
        assert (answer.status_code, answer.content) == (206, self.DATA[1000:2000])
        assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(self.DATA)}"
        changed = ranged | {"If-Range": '"another"'}
        assert lorry.client.get(path, headers=changed).content == self.DATA
        beyond = lorry.client.get(path, headers=lorry.as_user() | {"Range": "bytes=99999-"})
        assert beyond.status_code == 416


def test_a_file_without_a_copy_in_storage_is_linked_to_here(lorry: Installation, job_id: str) -> None:
    artifact = lorry.artifact(job_id)
    answer = lorry.client.get(f"/api/artifacts/{artifact.id}/link", headers=lorry.as_user())
    assert answer.json()["data"] == {"url": f"/api/artifacts/{artifact.id}/download", "expires_at": None}
    assert lorry.client.get(answer.json()["data"]["url"], headers=lorry.as_user()).content == b"weights"
