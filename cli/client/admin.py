"""What only administrators may: everybody's jobs, containers, devices, limits, maintenance."""

from __future__ import annotations

from typing import Any, cast

from cli.answers import AuditEntry, Container, Device, Job, Maintenance, Page, UserLimit
from cli.client.transport import Transport


class AdminCalls(Transport):
    def all_jobs(self, *, page: int = 1, page_size: int = 20, **filters: Any) -> Page[Job]:
        return self._page("/admin/jobs", doing="list everybody's jobs", page=page, page_size=page_size, **filters)

    def containers(self) -> list[Container]:
        return cast("list[Container]", self._data("/admin/containers", doing="list containers"))

    def container_log(self, container_id: str, *, tail: int) -> list[str]:
        path = f"/admin/containers/{container_id}/logs"
        return cast("list[str]", self._data(path, doing=f"read the log of container {container_id}", tail=tail))

    def stop_container(self, container_id: str, *, reason: str) -> None:
        """Its job is cancelled; the owner reads the reason."""
        doing = f"stop container {container_id}"
        self._post(f"/admin/containers/{container_id}/stop", doing=doing, json={"reason": reason})

    def devices(self) -> list[Device]:
        return cast("list[Device]", self._data("/admin/gpus", doing="list devices"))

    def trust_device(self, device: str) -> None:
        self._post("/admin/gpus/trust", doing=f"trust device {device} again", json={"device": device})

    def set_priority(self, job_id: str, priority: int) -> Job:
        doing = f"set the priority of job {job_id}"
        path = f"/admin/jobs/{job_id}/priority"
        return cast("Job", self._post(path, doing=doing, json={"priority": priority})["data"])

    def limits(self) -> list[UserLimit]:
        return cast("list[UserLimit]", self._data("/admin/limits", doing="list users' limits"))

    def set_limit(self, user_id: str, max_active_jobs: int | None) -> None:
        """None: the installation's own."""
        body = {"user_id": user_id, "max_active_jobs": max_active_jobs}
        self._post("/admin/limits", doing=f"set the limit of {user_id}", json=body)

    def maintenance(self) -> Maintenance:
        return cast("Maintenance", self._data("/admin/maintenance", doing="ask about maintenance"))

    def begin_maintenance(self, reason: str) -> None:
        self._post("/admin/maintenance", doing="begin maintenance", json={"reason": reason})

    def end_maintenance(self) -> None:
        self._post("/admin/maintenance/end", doing="end maintenance")

    def audit(self, *, page: int = 1) -> Page[AuditEntry]:
        """Newest first."""
        return self._page("/admin/audit", doing="read the audit log", page=page)
