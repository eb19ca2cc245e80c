"""Bringing one attempt to life: intent first, then create, record the id, start."""

from __future__ import annotations

from orchestrator.domain.container import (
    CACHE_PATH,
    CONFIG_PATH,
    DATASET_PATH,
    LABEL_ATTEMPT,
    LABEL_INSTANCE,
    LABEL_JOB,
    MODELS_PATH,
    OUTPUT_PATH,
    TRAIN_COMMAND,
    ContainerSpec,
    Mount,
)
from orchestrator.domain.dataset import DatasetVersion, select_for_training, version_of
from orchestrator.domain.errors import LaunchRefused, NotFound
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Attempt, Job, container_name
from orchestrator.domain.job_config import build_diagnostic_config, build_job_config
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.lineage import Lineage, as_metadata, lineage_of
from orchestrator.domain.registered_model import model_name_of
from orchestrator.domain.scheduling import Start, is_cpu
from orchestrator.domain.training import TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.dataset_store import DatasetFiles, DatasetStore, VersionStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.model_registry import ModelRegistry
from orchestrator.ports.workspace import JobPaths, Workspace
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.checkpoints import Checkpoints
from orchestrator.services.container_settings import ContainerSettings


class Launch:
    def __init__(
        self,
        *,
        jobs: JobStore,
        datasets: DatasetStore,
        versions: VersionStore,
        dataset_files: DatasetFiles,
        models: BuiltinModels,
        registry: ModelRegistry,
        checkpoints: Checkpoints,
        workspace: Workspace,
        runtime: ContainerRuntime,
        clock: Clock,
        settings: ContainerSettings,
    ) -> None:
        self._jobs = jobs
        self._datasets = datasets
        self._versions = versions
        self._dataset_files = dataset_files
        self._models = models
        self._registry = registry
        self._checkpoints = checkpoints
        self._workspace = workspace
        self._runtime = runtime
        self._clock = clock
        self._settings = settings

    def claim(self, start: Start, *, engine_id: str) -> tuple[Job, Attempt]:
        """Store the intent to launch. Raises SlotTaken or StaleJob when something else was quicker."""
        now = self._clock.now()
        job = start.job.claimed(slot=start.slot, devices=start.devices, at=now)
        earlier = self._jobs.attempts(job.id)
        attempt = Attempt(
            job_id=job.id,
            number=job.attempt,
            container_name=container_name(job.id, job.attempt),
            created_at=now,
            devices=start.devices,
            engine_id=engine_id,
            memory_profile=job.memory_profile,
            resume_from=job.resume_from,
            # Attempts share one outputs folder and one log: this one's begin where the last one's ended.
            events_offset=self._events_offset(earlier[-1]) if earlier else 0,
            log_bytes=earlier[-1].log_bytes if earlier else 0,
        )
        event = status_event(start.job, job, f"Attempt {job.attempt} holds slot {start.slot} and {_named(job)}.")
        return self._jobs.claim(job, attempt, event), attempt

    def launch(self, job: Job, attempt: Attempt) -> tuple[Job, Attempt]:
        """Create the container (or adopt the one an earlier try left), record its id, start it.

        Raises LaunchRefused; RuntimeUnavailable when the outcome is unknown; StaleJob when the job changed in between,
        in which case nothing was started.
        """
        spec, lineage = self._build_spec(job, attempt)
        self._checkpoints.restore(job)
        container = self._runtime.create(spec)
        attempt = attempt.evolve(container_id=container.id, spec_hash=spec.digest, image_digest=container.image_digest)
        job = job.with_container(container.id, image_digest=container.image_digest, at=self._clock.now())
        job = self._jobs.save(job, attempt, lineage=lineage)
        self._runtime.start(container.id)
        return job, attempt

    def _events_offset(self, earlier: Attempt) -> int:
        """Where reading the last attempt's events ended, unless retention has taken the file away since."""
        offset = earlier.events_offset
        return min(offset, self._workspace.read_events(earlier.job_id, offset=offset, limit_bytes=1).file_bytes)

    def _build_spec(self, job: Job, attempt: Attempt) -> tuple[ContainerSpec, Lineage | None]:
        image = self._settings.image
        digest = self._runtime.image_digest(image)
        if digest is None:
            message = f"The training image {image!r} is not on this machine. Build it with `make setup`."
            raise LaunchRefused(EndReason.IMAGE_MISSING, message)
        mounts, lineage = self._mounts(job, digest)
        spec = ContainerSpec(
            name=attempt.container_name,
            image=image,
            command=TRAIN_COMMAND,
            user=self._settings.user,
            mounts=mounts,
            limits=self._settings.limits,
            devices=tuple(device for device in attempt.devices if not is_cpu(device)),
            labels={
                LABEL_INSTANCE: self._settings.instance,
                LABEL_JOB: job.id,
                LABEL_ATTEMPT: str(attempt.number),
            },
        )
        return spec, lineage

    def _mounts(self, job: Job, image_digest: str) -> tuple[tuple[Mount, ...], Lineage | None]:
        """What the container sees of the host, written down before; and what its adapter will come from."""
        if job.type is TrainingType.DIAGNOSTIC:
            return self._diagnostic_mounts(job), None
        model = self._models.ready_entry(job.base_model)
        version = self._version(job)
        dataset_path = self._dataset_files.freeze(version, in_use=self._versions_in_use(job))
        now = self._clock.now()
        registered = self._registry.reserve(job, model_name_of(job), at=now)
        lineage = lineage_of(job, version, model, registered, image_digest=image_digest, at=now)
        cache = self._cache_mounts(job)
        config = build_job_config(job, model, as_metadata(lineage), has_cache=bool(cache))
        paths = self._workspace.prepare(job.id, config)
        return (*_mounts(paths, dataset_path, self._models.cache_path()), *cache), lineage

    def _cache_mounts(self, job: Job) -> tuple[Mount, ...]:
        """A folder of this user alone: nobody's job sees what another user's has written."""
        limit_bytes = self._settings.shared_cache_bytes
        if not limit_bytes:
            return ()
        folder = self._workspace.prepare_cache(job.user_id, limit_bytes=limit_bytes)
        return (Mount(folder, CACHE_PATH, is_read_only=False),)

    def _diagnostic_mounts(self, job: Job) -> tuple[Mount, ...]:
        table = self._jobs.table(job.id)
        paths = self._workspace.prepare(job.id, build_diagnostic_config(job, table), table)
        mounts = (Mount(paths.config, CONFIG_PATH), Mount(paths.outputs, OUTPUT_PATH, is_read_only=False))
        if table is None or paths.table is None:
            return mounts
        return (*mounts, Mount(paths.table, f"{DATASET_PATH}/{table.name}"))

    def _version(self, job: Job) -> DatasetVersion:
        """What was selected when the job was submitted, whatever became of the dataset since."""
        if job.dataset_sha256 is None:  # submitted before datasets had versions
            selection = select_for_training(self._datasets.items(job.dataset_id))
            return version_of(job.dataset_id, selection.items, at=self._clock.now())
        try:
            return self._versions.get(job.dataset_id, job.dataset_sha256)
        except NotFound as error:
            raise LaunchRefused(EndReason.DATASET_MISSING, f"Dataset {job.dataset_id} no longer exists.") from error

    def _versions_in_use(self, job: Job) -> frozenset[str]:
        """Of this dataset, by jobs whose containers may have them mounted."""
        active = (other for other, _ in self._jobs.active() if other.dataset_id == job.dataset_id)
        return frozenset(other.dataset_sha256 for other in active if other.dataset_sha256)


def _mounts(paths: JobPaths, dataset_path: str, models_path: str) -> tuple[Mount, ...]:
    return (
        Mount(paths.config, CONFIG_PATH),
        Mount(dataset_path, DATASET_PATH),
        Mount(models_path, MODELS_PATH),
        Mount(paths.outputs, OUTPUT_PATH, is_read_only=False),
    )


def _named(job: Job) -> str:
    return ", ".join(job.gpu_ids) or "no device"
