"""A user is told of a job from its submission to its end, by a server that is killed in between."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.installation import Installation
from tests.receiver import Receiver, running_receiver, status
from tests.waiting import eventually

pytestmark = pytest.mark.docker


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


def told(receiver: Receiver, job_id: str) -> dict[str, str]:
    """Events of a job by the ids of their messages."""
    messages = [(each.id, json.loads(each.body)) for each in receiver.received]
    return {key: message["type"] for key, message in messages if message["data"]["job_id"] == job_id}


def test_every_event_arrives_though_receiver_and_server_go_down_in_between(install: Any, receiver: Receiver) -> None:
    server: Installation = install(LORRY_WEBHOOK_RECEIVERS=receiver.name)
    process = server.serve()
    server.wait_until_ready()
    alice = server.user("alice")
    added = alice.http.post("/webhooks", json={"url": receiver.url})
    assert added.status_code == 201, added.text
    receiver.answer = status(503)
    job_id = alice.start("fake:gate=1")
    eventually(lambda: receiver.received, what="a first try")
    process.stop(signal.SIGKILL)
    receiver.answer = status(204)
    server.serve()
    server.open_gate(job_id)
    alice = server.user("alice")
    alice.wait(job_id, "completed")

    wanted = {"job.queued", "job.running", "job.completed"}
    eventually(lambda: set(told(receiver, job_id).values()) == wanted, what="all three events")
    assert len(told(receiver, job_id)) == len(wanted)  # each under one id, however often it came
    eventually(
        lambda: (
            {each["state"] for each in alice.get(f"/webhooks/{added.json()['data']['id']}/deliveries")} == {"delivered"}
        ),
        what="all deliveries recorded",
    )
