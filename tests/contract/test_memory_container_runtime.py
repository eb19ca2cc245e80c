"""The engine in memory is held to what the real one does."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import ManualClock, MemoryContainerRuntime, Program
from orchestrator.domain.container import ContainerState, Presence, observe
from tests.contract.container_runtime import ContainerRuntimeContract
from tests.factories import make_spec as make_any_spec


class TestMemoryContainerRuntime(ContainerRuntimeContract):
    @pytest.fixture
    def programs(self):
        return {}

    @pytest.fixture
    def runtime(self, programs):
        runtime = MemoryContainerRuntime(clock=ManualClock(), program=lambda spec: programs[spec.name])
        runtime.allowed_images |= {"absent-image"}
        runtime.missing_paths.add("/nowhere")
        return runtime

    @pytest.fixture
    def runtime_of_other_instance(self, runtime):
        return runtime.of_instance("other")

    @pytest.fixture
    def unreachable_runtime(self):
        runtime = MemoryContainerRuntime(clock=ManualClock())
        runtime.is_reachable = False
        return runtime

    @pytest.fixture
    def make_spec(self, programs):
        def make(*, prints=(), exits=None, **changes):
            spec = make_any_spec(**changes)
            programs[spec.name] = Program(lines=tuple(prints), exit_code=exits)
            return spec

        return make

    @pytest.fixture
    def image(self):
        return "training-image"

    @pytest.fixture
    def absent_image(self):
        return "absent-image"

    @pytest.fixture
    def missing_path(self):
        return "/nowhere"


def test_a_container_somebody_removed_is_proved_absent():
    runtime = MemoryContainerRuntime(clock=ManualClock())
    container = runtime.create(make_any_spec())

    runtime.lose(container.id)

    seen = observe(runtime.snapshot(), job_id=container.job_id, attempt=1, engine_id=runtime.engine_id)
    assert seen.presence is Presence.ABSENT


def test_an_engine_with_another_data_root_proves_nothing():
    runtime = MemoryContainerRuntime(clock=ManualClock())
    container = runtime.create(make_any_spec())
    launched_on = runtime.engine_id

    runtime.lose(container.id)
    runtime.engine_id = "engine-2"

    seen = observe(runtime.snapshot(), job_id=container.job_id, attempt=1, engine_id=launched_on)
    assert seen.presence is Presence.ELSEWHERE


def test_a_program_may_ignore_sigterm_but_not_sigkill():
    runtime = MemoryContainerRuntime(clock=ManualClock(), program=lambda _: Program(obeys_sigterm=False))
    container = runtime.create(make_any_spec())
    runtime.start(container.id)

    runtime.signal(container.id, "SIGTERM")
    assert runtime.inspect(container.id).state is ContainerState.RUNNING

    runtime.signal(container.id, "SIGKILL")
    assert runtime.inspect(container.id).exit_code == 137
