"""Jobs: submitting, looking, stopping, trying again, and what each left behind."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any, cast

from cli.answers import (
    FINAL_STATUSES,
    Artifact,
    Continuation,
    Difference,
    Event,
    Job,
    Metric,
    ModelVersion,
    Page,
    Plan,
    Rerun,
    Statistics,
    Submitted,
)
from cli.client.transport import Transport

_MAX_EVENTS = 10_000
_MAX_LOG_LINES = 10_000


class JobCalls(Transport):
    def submit(self, request: dict[str, Any], *, idempotency_key: str | None = None) -> Submitted:
        """Submit a job; repeated requests of one call, or of one key, make one job."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return cast("Submitted", self._post("/training/submit", doing="submit the job", json=request, headers=headers))

    def plan(self, request: dict[str, Any]) -> Plan:
        """What submitting it would do; nothing is stored."""
        doing = "plan the job"
        return cast(
            "Plan", self._post("/training/submit", doing=doing, json=request, params={"dry_run": "true"})["data"]
        )

    def jobs(self, *, page: int = 1, page_size: int = 20, **filters: Any) -> Page[Job]:
        return self._page("/training/jobs", doing="list jobs", page=page, page_size=page_size, **filters)

    def job(self, job_id: str) -> Job:
        return cast("Job", self._data(f"/training/jobs/{job_id}", doing=f"look at job {job_id}"))

    def wait(self, job_id: str, *, poll_seconds: float = 1.0) -> Job:
        """The job once it has completed, failed or been cancelled."""
        while (job := self.job(job_id))["status"] not in FINAL_STATUSES:
            time.sleep(poll_seconds)
        return job

    def cancel(self, job_id: str, *, reason: str | None = None, save: bool = True) -> None:
        """Without `save` its container gets no time for a checkpoint, also after a cancel that gave it some."""
        body = ({"reason": reason} if reason else {}) | ({} if save else {"save": False})
        self._post(f"/training/jobs/{job_id}/cancel", doing=f"cancel job {job_id}", json=body)

    def retry(self, job_id: str, *, from_checkpoint: str | bool) -> Job:
        doing = f"try job {job_id} again"
        answer = self._post(f"/training/jobs/{job_id}/retry", doing=doing, json={"from_checkpoint": from_checkpoint})
        return cast("Job", answer["data"])

    def describe(self, job_id: str, **changes: Any) -> Job:
        """Change `name`, `notes` or `tags`; what is not given stays, None takes a text away."""
        answer = self._once("PATCH", f"/training/jobs/{job_id}", doing=f"describe job {job_id}", json=changes)
        return cast("Job", answer["data"])

    def delete(self, job_id: str) -> Job:
        """The job as it was; `restorable_until` says how long it can be brought back. One at work is cancelled."""
        return cast("Job", self._once("DELETE", f"/training/jobs/{job_id}", doing=f"delete job {job_id}")["data"])

    def restore(self, job_id: str) -> Job:
        answer = self._post(f"/training/jobs/{job_id}/restore", doing=f"bring job {job_id} back")
        return cast("Job", answer["data"])

    def deleted(self) -> list[Job]:
        """Those that can be brought back, what was deleted last in front."""
        return cast("list[Job]", self._data("/training/deleted", doing="list deleted jobs"))

    def promote(self, job_id: str, checkpoint: str, *, name: str | None = None) -> ModelVersion:
        """Register a checkpoint's adapter; one that is registered stays what it is."""
        body = {"checkpoint": checkpoint} | ({"name": name} if name else {})
        answer = self._post(f"/training/jobs/{job_id}/promote", doing=f"register {checkpoint}", json=body)
        return cast("ModelVersion", answer["data"])

    def rerun(self, job_id: str, *, idempotency_key: str | None = None) -> Rerun:
        """The same once more: settings, seed, version of the dataset."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        doing = f"run job {job_id} once more"
        return cast("Rerun", self._post(f"/training/jobs/{job_id}/rerun", doing=doing, headers=headers)["data"])

    def continue_job(
        self,
        job_id: str,
        *,
        steps: int | None = None,
        from_checkpoint: str | None = None,
        idempotency_key: str | None = None,
    ) -> Continuation:
        """A new job that goes on from a checkpoint, the newest unless told otherwise; `steps` are those in all."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = {"steps": steps, "from_checkpoint": from_checkpoint}
        path = f"/training/jobs/{job_id}/continue"
        answer = self._post(path, doing=f"continue job {job_id}", headers=headers, json=body)
        return cast("Continuation", answer["data"])

    def diff(self, job_id: str, other_id: str) -> list[Difference]:
        """What two jobs have different; `before` is the first one's."""
        path = f"/training/jobs/{job_id}/diff"
        found = self._data(path, doing=f"compare job {job_id} with {other_id}", **{"with": other_id})
        return cast("list[Difference]", found)

    def statistics(
        self, *, since: str | None = None, until: str | None = None, of_everybody: bool = False
    ) -> Statistics:
        """Of the jobs submitted in that time; without one, in the last 30 days."""
        scope = "all" if of_everybody else "own"
        found = self._data("/training/stats", doing="count jobs", since=since, until=until, scope=scope)
        return cast("Statistics", found)

    def logs(self, job_id: str, *, tail: int) -> list[str]:
        """The last `tail` lines that the job's container printed."""
        path = f"/training/jobs/{job_id}/logs"
        return cast("list[str]", self._data(path, doing=f"read the log of job {job_id}", tail=tail))

    def whole_log(self, job_id: str) -> Iterator[list[str]]:
        """All lines that the job's container printed so far, some at a time."""
        path, after = f"/training/jobs/{job_id}/logs", 0
        while lines := self._data(path, doing=f"read the log of job {job_id}", tail=_MAX_LOG_LINES, after=after):
            yield cast("list[str]", lines)
            after += len(lines)

    def metrics(self, job_id: str, *, points: int | None = None) -> list[Metric]:
        """Thinned to about `points` steps when there are more; its extremes stay."""
        path = f"/training/jobs/{job_id}/metrics"
        return cast("list[Metric]", self._data(path, doing=f"read the metrics of job {job_id}", points=points))

    def events(self, job_id: str) -> list[Event]:
        path = f"/training/jobs/{job_id}/events"
        return cast("list[Event]", self._data(path, doing=f"read the history of job {job_id}", limit=_MAX_EVENTS))

    def artifacts(self, job_id: str) -> list[Artifact]:
        path = f"/training/jobs/{job_id}/artifacts"
        return cast("list[Artifact]", self._data(path, doing=f"list the files of job {job_id}"))
