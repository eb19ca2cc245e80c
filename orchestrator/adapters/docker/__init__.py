"""The Docker Engine over its HTTP API: one closed container template, one place that translates its errors."""

from orchestrator.adapters.docker.runtime import DockerContainerRuntime

__all__ = ["DockerContainerRuntime"]
