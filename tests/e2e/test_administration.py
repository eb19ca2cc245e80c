"""An administrator looks at a real container, stops it, and closes the queue for a while."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.installation import Installation, User
from tests.waiting import eventually

pytestmark = pytest.mark.docker


@pytest.fixture
def server(install: Any) -> Installation:
    installation: Installation = install()
    installation.serve()
    installation.wait_until_ready()
    return installation


@pytest.fixture
def admin(server: Installation) -> User:
    token = server.run("token", "create", "--user", "root", "--admin").stdout.strip()
    return User(server.url, token)


def test_a_container_is_seen_with_what_it_uses_and_stopped_for_a_reason(server: Installation, admin: User) -> None:
    bob = server.user("bob")
    job_id = bob.start("fake:gate=1")
    bob.wait(job_id, "running")

    def measured() -> Any:
        return next((each for each in admin.get("/admin/containers") if each["usage"]["cpu_percent"] is not None), None)

    seen = eventually(measured, what="two looks at the container")
    assert (seen["name"], seen["job_id"], seen["owner"]) == (f"training-{job_id}", job_id, "bob")
    assert (seen["state"], seen["image"]) == ("running", "lorry-fake-trainer")
    assert 0 < seen["usage"]["memory_bytes"] < seen["limits"]["memory_bytes"]
    assert {mount["target"]: mount["is_read_only"] for mount in seen["mounts"]}["/workspace/outputs"] is False
    assert isinstance(admin.get(f"/admin/containers/{seen['id']}/logs"), list)

    stopped = admin.http.post(f"/admin/containers/{seen['id']}/stop", json={"reason": "too hot"})
    assert stopped.status_code == 200, stopped.text
    assert bob.wait(job_id, "cancelled")["end_reason"] == "cancel_requested"
    server.wait_for_no_container()
    eventually(lambda: admin.get("/admin/containers") == [], what="a look without it")


def test_maintenance_lets_nothing_start_until_it_ends(server: Installation, admin: User) -> None:
    assert admin.http.post("/admin/maintenance", json={"reason": "a new disk"}).status_code == 200
    bob = server.user("bob")
    answer = bob.submit().json()
    assert (answer["status"], "maintenance: a new disk" in answer["message"]) == ("queued", True)
    assert server.containers() == []
    assert admin.http.post("/admin/maintenance/end").status_code == 200
    bob.wait(answer["job_id"], "completed")
    server.wait_for_no_container()
