"""ContainerRuntime on a Docker Engine.

Uses docker-py's low-level client: one HTTP call where the high-level one makes two, and log timestamps as text.
"""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, NotFound

from orchestrator.adapters.docker.errors import CONFLICT, NOT_FOUND, refused_create, refused_start, translated
from orchestrator.adapters.docker.labels import labels_for, same_attempt
from orchestrator.adapters.docker.logs import read_lines, since_parameter
from orchestrator.adapters.docker.parsing import inspected_container, listed_container
from orchestrator.adapters.docker.template import container_arguments
from orchestrator.domain.container import (
    DATASET_PATH,
    LABEL_INSTANCE,
    Container,
    ContainerSpec,
    EngineSnapshot,
    Mount,
)
from orchestrator.domain.errors import LaunchRefused, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.container_runtime import EngineFacts, LogLine

_POOL_SIZE = 32
_CREATE_TRIES = 20
_CREATE_PAUSE_SECONDS = 0.05
_LOG_SECONDS = 30.0
_LOG_CHUNK_BYTES = 64 * 1024


class DockerContainerRuntime:
    """Talks to the engine at `base_url` and sees only containers labelled with `instance`.

    `allowed_images` holds names or ids (sha256:...) of images; an empty one allows none.
    """

    def __init__(
        self, *, base_url: str, instance: str, allowed_images: tuple[str, ...], timeout_seconds: int = 30
    ) -> None:
        self._base_url = base_url
        self._instance = instance
        self._allowed_images = allowed_images
        self._timeout_seconds = timeout_seconds
        self._client: APIClient | None = None
        self._connecting = threading.Lock()
        self._engine_id: str | None = None

    def facts(self) -> EngineFacts:
        with translated("describe itself"):
            info = self._connected().info()
            return EngineFacts(
                engine_id=info["ID"],
                version=info["ServerVersion"],
                has_nvidia_runtime="nvidia" in (info.get("Runtimes") or {}),
            )

    def image_digest(self, image: str) -> str | None:
        with translated(f"look for the image {image}", harmless=(NOT_FOUND,)):
            return str(self._connected().inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
        return None

    def snapshot(self) -> EngineSnapshot:
        """Takes the list between two equal answers about the engine's id.

        An engine that is replaced in between, or restarted on another data root, therefore never has its list taken
        for the other's.
        """
        with translated("list its containers"):
            client = self._connected()
            while True:
                entries = client.containers(all=True, filters={"label": f"{LABEL_INSTANCE}={self._instance}"})
                engine_id = str(client.info()["ID"])
                if engine_id == self._engine_id:
                    return EngineSnapshot(engine_id, tuple(listed_container(entry) for entry in entries))
                self._engine_id = engine_id

    def create(self, spec: ContainerSpec) -> Container:
        image = self._allowed(spec.image)
        for mount in spec.mounts:
            _require_source(mount)
        labels = labels_for(spec, self._instance)
        with translated(f"create the container {spec.name}"):
            client = self._connected()
            arguments = container_arguments(client, spec, labels) | {"image": image}
            return self._create_or_adopt(client, spec, arguments)

    def start(self, container_id: str) -> None:
        """Does nothing for a container that ever ran: the engine would run an exited one a second time."""
        container = self.inspect(container_id)
        if container is None:
            raise LaunchRefused(EndReason.CONTAINER_LOST, "The container disappeared before it was started.")
        if container.started_at is not None:
            return
        with translated(f"start the container {container_id}"):
            client = self._connected()
            try:
                client.start(container_id)
            except APIError as error:
                raise refused_start(error) from error

    def inspect(self, container_id: str) -> Container | None:
        with translated(f"inspect the container {container_id}", harmless=(NOT_FOUND,)):
            return inspected_container(self._connected().inspect_container(container_id))
        return None

    def signal(self, container_id: str, name: str) -> None:
        with translated(f"send {name} to the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            self._connected().kill(container_id, name)

    def unpause(self, container_id: str) -> None:
        with translated(f"unpause the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            try:
                self._connected().unpause(container_id)
            except APIError as error:
                # Older engines answer 500 instead of 409 to a container that is not paused.
                if "is not paused" not in str(error.explanation):
                    raise

    def logs(self, container_id: str, *, since: str | None, limit_bytes: int) -> tuple[LogLine, ...]:
        with translated(f"read the log of the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            client = self._connected()
            url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/logs"
            wanted = {"stdout": "1", "stderr": "1", "timestamps": "1"}
            if since is not None:
                wanted["since"] = since_parameter(since)
            # docker-py's own method takes no text for `since`.
            with client.get(url, params=wanted, stream=True, timeout=self._timeout_seconds) as response:
                if response.status_code in (NOT_FOUND, CONFLICT):
                    return ()
                response.raise_for_status()
                return read_lines(_chunks(response), limit_bytes)
        return ()

    def remove(self, container_id: str) -> None:
        with translated(f"remove the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            self._connected().remove_container(container_id, v=True, force=True)

    def _connected(self) -> APIClient:
        """Connects on first use, so that an engine that is down at our start is only down for that call."""
        with self._connecting:
            if self._client is None:
                self._client = APIClient(
                    base_url=self._base_url,
                    version="auto",
                    timeout=self._timeout_seconds,
                    max_pool_size=_POOL_SIZE,
                )
            return self._client

    def _allowed(self, image: str) -> str:
        """What to create from: the name when it is allowed, else the id it stands for when that is."""
        if image in self._allowed_images:
            return image
        digest = self.image_digest(image)
        if digest is not None and digest in self._allowed_images:
            return digest
        raise LaunchRefused(EndReason.IMAGE_NOT_ALLOWED, f"The image {image} is not on the list of allowed images.")

    def _create_or_adopt(self, client: APIClient, spec: ContainerSpec, arguments: dict[str, Any]) -> Container:
        for _ in range(_CREATE_TRIES):
            try:
                container_id = client.create_container(**arguments)["Id"]
                return inspected_container(client.inspect_container(container_id))
            except APIError as error:
                if error.status_code != CONFLICT:
                    raise refused_create(error, spec.image) from error
            adopted = self._adopt(client, spec.name, arguments["labels"])
            if adopted is not None:
                return adopted
            time.sleep(_CREATE_PAUSE_SECONDS)
        raise RuntimeUnavailable(f"The name {spec.name} is taken, but the Docker Engine does not show by what.")

    @staticmethod
    def _adopt(client: APIClient, name: str, labels: dict[str, str]) -> Container | None:
        """The container that holds `name`, if it is this attempt's own; None while the engine does not show it yet."""
        try:
            details = client.inspect_container(name)
        except NotFound:
            return None
        if not same_attempt(details["Config"].get("Labels") or {}, labels):
            message = f"The name {name} is taken by a container that is not this attempt's: remove or rename that one."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message)
        return inspected_container(details)


def _require_source(mount: Mount) -> None:
    """A link would let the mount lead anywhere; the engine itself follows it without a word."""
    try:
        mode = Path(mount.source).lstat().st_mode
    except OSError:
        mode = 0
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        return
    if mount.target == DATASET_PATH:
        raise LaunchRefused(EndReason.DATASET_MISSING, "The dataset's files are no longer there.")
    raise LaunchRefused(
        EndReason.LAUNCH_REFUSED, f"What should be mounted at {mount.target} is not a file or folder of this machine."
    )


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes, until a deadline: a container that prints faster than we read would never end it."""
    deadline = time.monotonic() + _LOG_SECONDS
    for chunk in response.iter_content(_LOG_CHUNK_BYTES):
        yield chunk
        if time.monotonic() > deadline:
            return
