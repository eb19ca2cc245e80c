"""The contract on the real engine."""

from __future__ import annotations

import pytest

from orchestrator.adapters.docker import DockerContainerRuntime
from tests.contract.container_runtime import ContainerRuntimeContract


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
