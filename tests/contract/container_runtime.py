"""What every ContainerRuntime does. A binding gives the fixtures that raise NotImplementedError here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.domain.container import (
    CONFIG_PATH,
    DATASET_PATH,
    LABEL_JOB,
    Container,
    ContainerSpec,
    ContainerState,
    Mount,
)
from orchestrator.domain.errors import LaunchRefused, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.container_runtime import ContainerRuntime
from tests.waiting import eventually

LIMIT = 1024**2

MakeSpec = Callable[..., ContainerSpec]


class ContainerRuntimeContract:
    @pytest.fixture
    def runtime(self) -> ContainerRuntime:
        raise NotImplementedError

    @pytest.fixture
    def runtime_of_other_instance(self) -> ContainerRuntime:
        """Another installation on the same engine."""
        raise NotImplementedError

    @pytest.fixture
    def unreachable_runtime(self) -> ContainerRuntime:
        raise NotImplementedError

    @pytest.fixture
    def make_spec(self) -> MakeSpec:
        """`make_spec(prints=(), exits=None, **changes)`: prints lines, then exits or waits for a signal."""
        raise NotImplementedError

    @pytest.fixture
    def missing_path(self) -> str:
        """A path no file or folder has."""
        raise NotImplementedError

    @pytest.fixture
    def image(self) -> str:
        """An image that is there and allowed."""
        raise NotImplementedError

    @pytest.fixture
    def absent_image(self) -> str:
        """An image that is allowed and not there."""
        raise NotImplementedError

    def _run_to_end(self, runtime: ContainerRuntime, spec: ContainerSpec) -> Container:
        container = runtime.create(spec)
        runtime.start(container.id)
        return _ended(runtime, container.id)

    # -- create -------------------------------------------------------------------------------------------------

    def test_a_created_container_waits_to_be_started(self, runtime, make_spec, image):
        spec = make_spec()

        container = runtime.create(spec)

        assert (container.name, container.job_id, container.attempt) == (spec.name, spec.labels[LABEL_JOB], 1)
        assert (container.state, container.started_at, container.exit_code) == (ContainerState.CREATED, None, None)
        assert container.image_digest == runtime.image_digest(image)

    def test_creating_an_attempt_again_returns_its_container(self, runtime, make_spec):
        spec = make_spec()

        assert runtime.create(spec).id == runtime.create(spec).id

    def test_twenty_concurrent_creates_of_one_attempt_make_one_container(self, runtime, make_spec):
        spec = make_spec()

        with ThreadPoolExecutor(20) as pool:
            created = list(pool.map(lambda _: runtime.create(spec), range(20)))

        assert len({container.id for container in created}) == 1
        assert len(runtime.snapshot().containers) == 1

    def test_a_name_held_by_another_attempt_is_refused_and_left_alone(self, runtime, make_spec):
        holder = runtime.create(make_spec())

        with pytest.raises(LaunchRefused) as refusal:
            runtime.create(make_spec(name=holder.name))

        assert refusal.value.reason is EndReason.LAUNCH_REFUSED
        assert runtime.inspect(holder.id) is not None

    def test_a_name_held_by_another_installation_is_refused(self, runtime, runtime_of_other_instance, make_spec):
        spec = make_spec()
        runtime_of_other_instance.create(spec)

        with pytest.raises(LaunchRefused) as refusal:
            runtime.create(spec)

        assert refusal.value.reason is EndReason.LAUNCH_REFUSED

    def test_a_missing_image_is_refused(self, runtime, make_spec, absent_image):
        with pytest.raises(LaunchRefused) as refusal:
            runtime.create(make_spec(image=absent_image))

        assert refusal.value.reason is EndReason.IMAGE_MISSING
        assert runtime.snapshot().containers == ()

    def test_an_image_outside_the_list_is_refused(self, runtime, make_spec):
        with pytest.raises(LaunchRefused) as refusal:
            runtime.create(make_spec(image="somebody/elses-image"))

        assert refusal.value.reason is EndReason.IMAGE_NOT_ALLOWED

    @pytest.mark.parametrize(
        ("target", "reason"),
        [(DATASET_PATH, EndReason.DATASET_MISSING), (CONFIG_PATH, EndReason.LAUNCH_REFUSED)],
    )
    def test_a_missing_mount_source_is_refused(self, runtime, make_spec, missing_path, target, reason):
        with pytest.raises(LaunchRefused) as refusal:
            runtime.create(make_spec(mounts=(Mount(missing_path, target),)))

        assert refusal.value.reason is reason
        assert runtime.snapshot().containers == ()

    # -- start, signal, end -------------------------------------------------------------------------------------

    def test_a_started_container_runs_until_it_exits(self, runtime, make_spec):
        container = self._run_to_end(runtime, make_spec(exits=7))

        assert (container.state, container.exit_code) == (ContainerState.EXITED, 7)
        assert container.started_at is not None
        assert container.finished_at is not None
        assert not container.is_oom_killed

    def test_starting_twice_starts_once(self, runtime, make_spec):
        container = runtime.create(make_spec())
        runtime.start(container.id)
        first = runtime.inspect(container.id)

        runtime.start(container.id)

        assert runtime.inspect(container.id) == first

    def test_an_exited_container_is_never_started_again(self, runtime, make_spec):
        ended = self._run_to_end(runtime, make_spec(exits=0, prints=("once",)))

        runtime.start(ended.id)

        assert runtime.inspect(ended.id) == ended
        assert [line.text for line in runtime.logs(ended.id, since=None, limit_bytes=LIMIT).lines] == ["once"]

    def test_starting_a_container_that_is_gone_is_refused_as_lost(self, runtime, make_spec):
        container = runtime.create(make_spec())
        runtime.remove(container.id)

        with pytest.raises(LaunchRefused) as refusal:
            runtime.start(container.id)

        assert refusal.value.reason is EndReason.CONTAINER_LOST

    def test_a_gpu_without_a_driver_is_refused_and_the_container_left_to_the_caller(self, runtime, make_spec):
        container = runtime.create(make_spec(devices=("GPU-00000000-0000-0000-0000-000000000000",)))

        with pytest.raises(LaunchRefused) as refusal:
            runtime.start(container.id)

        left = runtime.inspect(container.id)
        assert refusal.value.reason is EndReason.GPU_UNAVAILABLE
        assert (left.state, left.started_at) == (ContainerState.CREATED, None)
        assert "device driver" in left.error

    @pytest.mark.parametrize(("signal", "exit_code"), [("SIGTERM", 143), ("SIGKILL", 137)])
    def test_a_signal_ends_a_running_container(self, runtime, make_spec, signal, exit_code):
        container = runtime.create(make_spec())
        runtime.start(container.id)

        runtime.signal(container.id, signal)

        assert _ended(runtime, container.id).exit_code == exit_code

    def test_a_signal_to_what_does_not_run_is_fine(self, runtime, make_spec):
        created = runtime.create(make_spec())
        ended = self._run_to_end(runtime, make_spec(exits=0))

        for container_id in (created.id, ended.id, "0" * 64):
            runtime.signal(container_id, "SIGTERM")

    # -- look ---------------------------------------------------------------------------------------------------

    def test_a_snapshot_lists_containers_in_every_state(self, runtime, make_spec):
        created = runtime.create(make_spec())
        running = runtime.create(make_spec())
        runtime.start(running.id)
        ended = self._run_to_end(runtime, make_spec(exits=0))

        snapshot = runtime.snapshot()

        assert snapshot.engine_id == runtime.facts().engine_id
        assert {container.id: container.state for container in snapshot.containers} == {
            created.id: ContainerState.CREATED,
            running.id: ContainerState.RUNNING,
            ended.id: ContainerState.EXITED,
        }
        assert snapshot.find(running.job_id, 1).name == running.name

    def test_a_snapshot_shows_nothing_of_other_installations(self, runtime, runtime_of_other_instance, make_spec):
        runtime_of_other_instance.create(make_spec())

        assert runtime.snapshot().containers == ()

    def test_an_unknown_container_is_gone(self, runtime):
        assert runtime.inspect("0" * 64) is None
        assert runtime.logs("0" * 64, since=None, limit_bytes=LIMIT).lines == ()

    def test_an_unknown_image_has_no_digest(self, runtime, image):
        assert runtime.image_digest(f"lorry-test-{uuid.uuid4().hex}") is None
        assert runtime.image_digest(image).startswith("sha256:")

    def test_a_running_container_tells_what_it_uses_and_another_does_not(self, runtime, make_spec):
        running, created = runtime.create(make_spec()), runtime.create(make_spec())
        runtime.start(running.id)
        ended = self._run_to_end(runtime, make_spec(exits=0))

        usage = eventually(lambda: runtime.usage(running.id), what="its usage")

        assert usage.cpu_seconds >= 0
        assert 0 < usage.memory_bytes < runtime.details(running.id).memory_bytes
        assert usage.pids >= 1
        assert [runtime.usage(other) for other in (created.id, ended.id, "0" * 64)] == [None, None, None]

    def test_details_tell_what_a_container_was_made_of(self, runtime, make_spec, image, tmp_path):
        spec = make_spec(mounts=(Mount(str(tmp_path), DATASET_PATH),))

        details = runtime.details(runtime.create(spec).id)

        limits = spec.limits
        assert (details.image, details.mounts) == (image, spec.mounts)
        assert (details.memory_bytes, details.cpus) == (limits.memory_bytes, limits.cpus)
        assert (details.pids, details.shm_bytes) == (limits.pids, limits.shm_bytes)
        assert runtime.details("0" * 64) is None

    # -- logs ---------------------------------------------------------------------------------------------------

    def test_logs_resume_at_a_timestamp_without_loss_or_double(self, runtime, make_spec):
        wanted = [f"line {number}" for number in range(300)]
        container = self._run_to_end(runtime, make_spec(exits=0, prints=tuple(wanted)))

        read: list[str] = []
        since = None
        while lines := [
            line
            for line in runtime.logs(container.id, since=since, limit_bytes=1_000).lines
            if since is None or line.at > since
        ]:
            read += [line.text for line in lines]
            since = lines[-1].at

        assert read == wanted

    def test_logs_begin_with_the_line_printed_at_the_given_instant(self, runtime, make_spec):
        container = self._run_to_end(runtime, make_spec(exits=0, prints=("one", "two", "three")))
        lines = runtime.logs(container.id, since=None, limit_bytes=LIMIT).lines

        assert runtime.logs(container.id, since=lines[1].at, limit_bytes=LIMIT).lines == lines[1:]
        assert all(len(line.at) == len("2026-01-01T00:00:00.123456789Z") for line in lines)

    def test_a_limit_smaller_than_a_line_still_gives_that_line(self, runtime, make_spec):
        container = self._run_to_end(runtime, make_spec(exits=0, prints=("a long line", "another")))

        assert [line.text for line in runtime.logs(container.id, since=None, limit_bytes=1).lines] == ["a long line"]

    # -- remove -------------------------------------------------------------------------------------------------

    def test_removing_kills_first_and_may_be_repeated(self, runtime, make_spec):
        container = runtime.create(make_spec())
        runtime.start(container.id)

        runtime.remove(container.id)
        runtime.remove(container.id)

        assert runtime.inspect(container.id) is None
        assert runtime.snapshot().containers == ()

    # -- engine away --------------------------------------------------------------------------------------------

    def test_every_call_to_an_engine_that_does_not_answer_is_unavailable(self, unreachable_runtime, make_spec):
        calls: list[Callable[[], object]] = [
            unreachable_runtime.facts,
            unreachable_runtime.snapshot,
            lambda: unreachable_runtime.image_digest("training-image"),
            lambda: unreachable_runtime.create(make_spec()),
            lambda: unreachable_runtime.start("0" * 64),
            lambda: unreachable_runtime.inspect("0" * 64),
            lambda: unreachable_runtime.details("0" * 64),
            lambda: unreachable_runtime.usage("0" * 64),
            lambda: unreachable_runtime.signal("0" * 64, "SIGTERM"),
            lambda: unreachable_runtime.logs("0" * 64, since=None, limit_bytes=LIMIT),
            lambda: unreachable_runtime.remove("0" * 64),
        ]

        for call in calls:
            with pytest.raises(RuntimeUnavailable):
                call()


def _ended(runtime: ContainerRuntime, container_id: str) -> Container:
    def ended() -> Container | None:
        container = runtime.inspect(container_id)
        return container if container and container.state is ContainerState.EXITED else None

    container = eventually(ended, what=f"the exit of container {container_id[:12]}")
    assert container is not None
    return container
