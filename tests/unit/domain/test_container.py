"""What an engine's answer says of an attempt, and when two specs are the same."""

from __future__ import annotations

import dataclasses

import pytest

from orchestrator.domain.container import ContainerSpec, EngineSnapshot, Mount, Observation, Presence, observe
from tests.factories import make_container, make_limits, make_spec

CONTAINER = make_container("job")
SNAPSHOT = EngineSnapshot("engine-1", (make_container("other"), CONTAINER))
OTHER_VALUES = {
    "name": "other",
    "image": "other",
    "command": ("python",),
    "user": "0:0",
    "mounts": (Mount("/a", "/b"),),
    "limits": make_limits(pids=1),
    "devices": ("GPU-1",),
    "labels": {"a": "b"},
}


@pytest.mark.parametrize("engine_id", ["engine-1", None])
def test_a_listed_container_is_present(engine_id):
    seen = observe(SNAPSHOT, job_id="job", attempt=1, engine_id=engine_id)

    assert seen == Observation(Presence.PRESENT, CONTAINER)


@pytest.mark.parametrize(("job_id", "attempt"), [("job", 2), ("nobody", 1)])
def test_what_the_attempts_own_engine_does_not_list_is_absent(job_id, attempt):
    seen = observe(SNAPSHOT, job_id=job_id, attempt=attempt, engine_id="engine-1")

    assert seen == Observation(Presence.ABSENT)


@pytest.mark.parametrize(("snapshot", "presence"), [(None, Presence.UNKNOWN), (SNAPSHOT, Presence.ELSEWHERE)])
def test_silence_and_another_engine_prove_nothing(snapshot, presence):
    seen = observe(snapshot, job_id="job", attempt=1, engine_id="engine-2")

    assert seen == Observation(presence)


def test_equal_specs_have_equal_digests_whatever_the_order_of_labels():
    spec = make_spec("job", labels={"a": "1", "b": "2"})

    assert spec.digest == make_spec("job", labels={"b": "2", "a": "1"}).digest


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ContainerSpec)])
def test_every_field_counts_in_a_specs_digest(field):
    spec = make_spec("job")

    assert dataclasses.replace(spec, **{field: OTHER_VALUES[field]}).digest != spec.digest
