"""The contract on the real engine."""

from __future__ import annotations

import pytest

from orchestrator.adapters.docker import DockerContainerRuntime
from orchestrator.domain.lifecycle import EndReason, reason_for_exit
from tests.contract.container_runtime import ContainerRuntimeContract
from tests.waiting import eventually


@pytest.mark.docker
class TestDockerContainerRuntime(ContainerRuntimeContract):
    @pytest.fixture
    def runtime(self, connect):
        return connect()

    @pytest.fixture
    def runtime_of_other_instance(self, connect, engine):
        other = connect("-other")
        yield other
        for container in other.snapshot().containers:
            other.remove(container.id)

    @pytest.fixture
    def unreachable_runtime(self, tmp_path):
        return DockerContainerRuntime(
            base_url=f"unix://{tmp_path}/no-engine.sock", instance="lorry-tests", allowed_images=("lorry-fake-trainer",)
        )

    # The engine's own fixtures, given by the folder's conftest.
    @pytest.fixture
    def make_spec(self, make_spec):
        return make_spec

    @pytest.fixture
    def image(self, image):
        return image

    @pytest.fixture
    def absent_image(self, absent_image):
        return absent_image

    @pytest.fixture
    def missing_path(self, tmp_path):
        return str(tmp_path / "nowhere")


@pytest.mark.docker
@pytest.mark.parametrize("command", ["no-such-program", "/no/such/program", "/etc/hostname", "/etc"])
def test_a_command_that_is_not_in_the_image_is_the_operators_to_mend(runtime, make_spec, command):
    """The engine starts our init, and it is the init that cannot start the command."""
    container = runtime.create(make_spec(command=(command,)))
    runtime.start(container.id)

    eventually(lambda: runtime.inspect(container.id).exit_code is not None, what="its exit")

    exit_code = runtime.inspect(container.id).exit_code
    assert reason_for_exit(exit_code, is_oom_killed=False) is EndReason.COMMAND_UNUSABLE, exit_code
