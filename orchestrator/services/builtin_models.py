"""Making sure a base model is in the cache before a job needs it.

Built-in ones are made by the training image; those of a hub are fetched before their jobs leave the queue.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import PurePosixPath

import structlog

from orchestrator.domain.container import (
    LABEL_ATTEMPT,
    LABEL_INSTANCE,
    LABEL_JOB,
    OUTPUT_PATH,
    Container,
    ContainerSpec,
    ContainerState,
    Mount,
)
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.model import CatalogueEntry, ModelSource
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.model_store import ModelStore
from orchestrator.services.container_settings import ContainerSettings

log = structlog.get_logger()

BUILD_SECONDS = 180.0
_LOG_BYTES = 4096


class BuiltinModels:
    def __init__(self, *, store: ModelStore, runtime: ContainerRuntime, settings: ContainerSettings) -> None:
        self._store = store
        self._runtime = runtime
        self._settings = settings
        self._providing = threading.Lock()

    def cache_path(self) -> str:
        return self._store.cache_path()

    def ready_entry(self, model_id: str) -> CatalogueEntry:
        """The catalogue's entry with the exact revision, its files in the cache.

        Raises LaunchRefused (BASE_MODEL_UNAVAILABLE).
        """
        entry = next((entry for entry in self._store.catalogue() if entry.id == model_id), None)
        if entry is None:
            raise _unavailable(f"Base model {model_id} is no longer in the catalogue.")
        with self._providing:  # jobs are launched side by side: one of them builds, the others wait for it
            if not self._store.is_ready(entry):
                self._provide(entry)
        return replace(entry, revision=self._store.revision(entry))

    def prepare(self) -> None:
        """Build the catalogue's first built-in model, the one people try Lorry with. Raises as `ready_entry` does.

        The others are built when a job asks for one: each takes seconds, and most installations never use them.
        """
        first = next((entry for entry in self._store.catalogue() if entry.source is ModelSource.BUILTIN), None)
        if first is not None:
            self.ready_entry(first.id)

    def _provide(self, entry: CatalogueEntry) -> None:
        if entry.is_fetchable:
            raise _unavailable(f"Base model {entry.id} is not here: submit the job again and it is fetched.")
        if entry.source is not ModelSource.BUILTIN:
            raise _unavailable(f"Base model {entry.id} is not in the model cache: put its folder {entry.folder} there.")
        log.info("building built-in model", model=entry.id)
        staging = self._store.begin(entry)
        try:
            self._build(entry, staging)
            self._store.publish(entry, staging)
        finally:
            self._store.discard(staging)

    def _build(self, entry: CatalogueEntry, staging: str) -> None:
        container = self._runtime.create(self._build_spec(entry, staging))
        try:
            self._runtime.start(container.id)
            self._require_success(entry, self._wait_for_exit(container))
        finally:
            self._runtime.remove(container.id)

    def _wait_for_exit(self, container: Container) -> Container | None:
        deadline = time.monotonic() + BUILD_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline:
            seen = self._runtime.inspect(container.id)
            if seen is None or seen.state in (ContainerState.EXITED, ContainerState.DEAD):
                return seen
            pause.wait(0.1)
        return None

    def _require_success(self, entry: CatalogueEntry, container: Container | None) -> None:
        if container is not None and container.exit_code == 0:
            return
        found = "did not finish" if container is None else f"ended with exit code {container.exit_code}"
        lines = self._runtime.logs(container.id, since=None, limit_bytes=_LOG_BYTES).lines if container else ()
        last = f" Its last line: {lines[-1].text}" if lines else ""
        raise _unavailable(f"Building base model {entry.id} with image {self._settings.image} {found}.{last}")

    def _build_spec(self, entry: CatalogueEntry, staging: str) -> ContainerSpec:
        return ContainerSpec(
            # The staging folder's name tells this try from one that a crash cut off: that one is not adopted.
            name=f"lorry-model-{PurePosixPath(staging).name}-{self._settings.instance}",
            image=self._settings.image,
            command=("python", "build_model.py", "--model", entry.id, "--out", f"{OUTPUT_PATH}/{entry.folder}"),
            user=self._settings.user,
            mounts=(Mount(staging, OUTPUT_PATH, is_read_only=False),),
            limits=self._settings.limits,
            devices=(),
            labels={
                LABEL_INSTANCE: self._settings.instance,
                LABEL_JOB: f"model-{entry.folder}",
                LABEL_ATTEMPT: "1",
            },
        )


def _unavailable(message: str) -> LaunchRefused:
    return LaunchRefused(EndReason.BASE_MODEL_UNAVAILABLE, message)
