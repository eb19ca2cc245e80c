"""ContainerRuntime on a Docker Engine.

Uses docker-py's low-level client: one HTTP call where the high-level one makes two, and log timestamps as text.
"""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, NotFound

from orchestrator.adapters.docker.errors import (
    CONFLICT,
    NOT_FOUND,
    RuntimeSilent,
    refused_create,
    refused_start,
    translated,
)
from orchestrator.adapters.docker.labels import labels_for, same_attempt
from orchestrator.adapters.docker.logs import StreamCut, cut_after, read_bite, since_parameter
from orchestrator.adapters.docker.parsing import (
    container_details,
    container_usage,
    engine_facts,
    inspected_container,
    listed_container,
    parse_instant,
)
from orchestrator.adapters.docker.template import container_arguments
from orchestrator.domain.administration import ContainerDetails, Usage
from orchestrator.domain.container import (
    DATASET_PATH,
    LABEL_INSTANCE,
    Container,
    ContainerSpec,
    EngineSnapshot,
    Mount,
)
from orchestrator.domain.engine import EngineFacts
from orchestrator.domain.errors import LaunchRefused, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.container_runtime import LogBite

_POOL_SIZE = 32
_CREATE_TRIES = 20
_CREATE_PAUSE_SECONDS = 0.05
_PROBE_SECONDS = 2
_IDENTITY_SECONDS = 5.0
_LOG_SECONDS = 1.0
_LOG_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Met:
    """The engine that answered last, what it listed, and when (monotonic seconds) it was asked who it is."""

    engine_id: str
    container_ids: frozenset[str]
    asked_at: float


class DockerContainerRuntime:
    """Talks to the engine at `base_url` and sees only containers labelled with `instance`.

    `allowed_images` holds names or ids (sha256:...) of images; an empty one allows none. What only looks has
    `timeout_seconds`; create, start and remove, in which the engine works, have `change_timeout_seconds`.

    An engine that let a call's whole time pass is not asked again but by `facts` and `snapshot`, after a short probe:
    every other call fails at once until one of them had its answer. A pass over many jobs so costs one timeout.
    """

    def __init__(
        self,
        *,
        base_url: str,
        instance: str,
        allowed_images: tuple[str, ...],
        timeout_seconds: int = 10,
        change_timeout_seconds: int = 60,
    ) -> None:
        self._base_url = base_url
        self._instance = instance
        self._allowed_images = allowed_images
        self._timeout_seconds = timeout_seconds
        self._change_timeout_seconds = change_timeout_seconds
        self._clients: dict[int, APIClient] = {}
        self._connecting = threading.Lock()
        self._met: _Met | None = None
        self._is_silent = False

    def facts(self) -> EngineFacts:
        with self._probing("describe itself"):
            client = self._connected()
            return engine_facts(client.info(), client.version(), is_local=self._base_url.startswith("unix://"))

    def image_digest(self, image: str) -> str | None:
        with self._asking(f"look for the image {image}", harmless=(NOT_FOUND,)):
            return str(self._connected().inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
        return None

    def snapshot(self) -> EngineSnapshot:
        """Knows whose list it is: the engine says who it is before and after, or a container listed before is listed
        again, whose id no other engine can have.

        An engine that is replaced in between, or restarted on another data root, therefore never has its list taken
        for the other's. Who it is and what time it has is asked now and then only: the answer costs it the most.
        """
        with self._probing("list its containers"):
            client = self._connected()
            while True:
                entries = client.containers(all=True, filters={"label": f"{LABEL_INSTANCE}={self._instance}"})
                listed = tuple(listed_container(entry) for entry in entries)
                ids, met = frozenset(container.id for container in listed), self._met
                if met is not None and met.container_ids & ids and time.monotonic() - met.asked_at < _IDENTITY_SECONDS:
                    self._met = replace(met, container_ids=ids)
                    return EngineSnapshot(met.engine_id, listed)
                info = client.info()
                is_the_same = met is not None and met.engine_id == info["ID"]
                self._met = _Met(info["ID"], ids if is_the_same else frozenset(), asked_at=time.monotonic())
                if is_the_same:
                    return EngineSnapshot(info["ID"], listed, taken_at=parse_instant(info.get("SystemTime")))

    def create(self, spec: ContainerSpec) -> Container:
        image = self._allowed(spec.image)
        for mount in spec.mounts:
            _require_source(mount)
        labels = labels_for(spec, self._instance)
        with self._asking(f"create the container {spec.name}"):
            client = self._changing()
            arguments = container_arguments(client, spec, labels) | {"image": image}
            return self._create_or_adopt(client, spec, arguments)

    def start(self, container_id: str) -> None:
        """Does nothing for a container that ever ran: the engine would run an exited one a second time."""
        container = self.inspect(container_id)
        if container is None:
            raise LaunchRefused(EndReason.CONTAINER_LOST, "The container disappeared before it was started.")
        if container.started_at is not None:
            return
        with self._asking(f"start the container {container_id}"):
            client = self._changing()
            try:
                client.start(container_id)
            except APIError as error:
                raise refused_start(error) from error

    def inspect(self, container_id: str) -> Container | None:
        with self._asking(f"inspect the container {container_id}", harmless=(NOT_FOUND,)):
            return inspected_container(self._connected().inspect_container(container_id))
        return None

    def details(self, container_id: str) -> ContainerDetails | None:
        with self._asking(f"inspect the container {container_id}", harmless=(NOT_FOUND,)):
            return container_details(self._connected().inspect_container(container_id))
        return None

    def usage(self, container_id: str) -> Usage | None:
        with self._asking(f"measure the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            return container_usage(self._connected().stats(container_id, stream=False, one_shot=True))
        return None

    def signal(self, container_id: str, name: str) -> None:
        with self._asking(f"send {name} to the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            self._connected().kill(container_id, name)

    def unpause(self, container_id: str) -> None:
        with self._asking(f"unpause the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            try:
                self._connected().unpause(container_id)
            except APIError as error:
                # Older engines answer 500 instead of 409 to a container that is not paused.
                if "is not paused" not in str(error.explanation):
                    raise

    def logs(self, container_id: str, *, since: str | None, limit_bytes: int) -> LogBite:
        with self._asking(f"read the log of the container {container_id}"):
            client = self._connected()
            url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/logs"
            wanted = {"stdout": "1", "stderr": "1", "timestamps": "1"}
            if since is not None:
                wanted["since"] = since_parameter(since)
            # docker-py's own method takes no text for `since`.
            with client.get(url, params=wanted, stream=True, timeout=self._timeout_seconds) as response:
                if response.ok:
                    return read_bite(cut_after(_LOG_SECONDS, _chunks(response)), limit_bytes)
        return LogBite()

    def remove(self, container_id: str) -> None:
        with self._asking(f"remove the container {container_id}", harmless=(NOT_FOUND, CONFLICT)):
            self._changing().remove_container(container_id, v=True, force=True)

    @contextmanager
    def _asking(self, action: str, *, harmless: tuple[int, ...] = ()) -> Iterator[None]:
        if self._is_silent:
            raise RuntimeSilent(f"The Docker Engine hangs and was not asked to {action}.")
        try:
            with translated(action, harmless=harmless):
                yield
        except RuntimeSilent:
            self._is_silent = True
            raise

    @contextmanager
    def _probing(self, action: str) -> Iterator[None]:
        """Ask whatever happened before; while the engine hangs, finding out that it still does is made cheap."""
        was_silent, self._is_silent = self._is_silent, False
        with self._asking(action):
            if was_silent:
                client = self._connected()
                client.get(f"{client.base_url}/_ping", timeout=_PROBE_SECONDS)
            yield

    def _connected(self) -> APIClient:
        return self._client(self._timeout_seconds)

    def _changing(self) -> APIClient:
        return self._client(self._change_timeout_seconds)

    def _client(self, timeout_seconds: int) -> APIClient:
        """Connects on first use, so that an engine that is down at our start is only down for that call."""
        with self._connecting:
            if timeout_seconds not in self._clients:
                self._clients[timeout_seconds] = APIClient(
                    base_url=self._base_url, version="auto", timeout=timeout_seconds, max_pool_size=_POOL_SIZE
                )
            return self._clients[timeout_seconds]

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
    """The body as it comes. Raises StreamCut where the connection breaks."""
    try:
        yield from response.iter_content(_LOG_CHUNK_BYTES)
    except requests.exceptions.ChunkedEncodingError as error:
        raise StreamCut from error
