"""Submissions judged: what makes a job of a request, or every reason why it cannot be one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.domain.contradictions import contradictions
from orchestrator.domain.dataset import Dataset, Selection, content_digest, exclusion_sentence, select_for_training
from orchestrator.domain.errors import NotFound, Refused, Rejected, Violation
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job, Progress
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import DatasetStore
from orchestrator.ports.experiment_store import ExperimentStore
from orchestrator.ports.preset_store import PresetStore
from orchestrator.services.models import Models, ModelView
from orchestrator.services.ownership import owned_experiment
from orchestrator.services.queue import Queue

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRequest:
    """A submission whose fields are already within their ranges."""

    dataset_id: str
    type: TrainingType
    base_model: str
    config: TrainingConfig
    chosen: tuple[str, ...] = ()  # the options in it that the user set, which a preset leaves alone
    name: str | None = None
    trigger_words: tuple[str, ...] = ()
    preset: str | None = None
    priority: int = 0
    gpus: int = 1
    experiment_id: str | None = None
    max_runtime_seconds: int | None = None  # None: the installation's limit


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that is not stored, and what it would train on."""

    job: Job
    dataset: Dataset
    selection: Selection
    model: ModelView


class Drafts:
    def __init__(
        self,
        *,
        datasets: DatasetStore,
        models: Models,
        presets: PresetStore,
        experiments: ExperimentStore,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._datasets = datasets
        self._models = models
        self._presets = presets
        self._experiments = experiments
        self._queue = queue
        self._clock = clock

    def make(self, identity: Identity, request: SubmitRequest) -> Draft:
        """Raises what is wrong with it; where several things are, one Rejected that lists all of them.

        Rejected (MODEL_NOT_ALLOWED, MODEL_NOT_READY, PRESET_UNKNOWN, OPTIONS_CONTRADICT, TOO_MANY_GPUS,
        NOTHING_TO_TRAIN_ON), NotFound for the experiment and the dataset, Refused for the dataset.
        """
        refusals = _Refusals()
        model = refusals.of("base_model", lambda: self._models.require(request.base_model))
        refusals.of("gpus", lambda: self._require_devices(request.gpus))
        refusals.of("experiment_id", lambda: self._require_experiment(identity, request.experiment_id))
        config = refusals.of("preset", lambda: self._resolved(request))
        if config is not None:
            refusals.of("config", lambda: _require_consistent(config, request.type, model))
        dataset = refusals.of("dataset_id", lambda: self._datasets.get(request.dataset_id, identity))
        selection = refusals.of("dataset_id", lambda: self._select(dataset)) if dataset is not None else None
        refusals.settle()
        # Without a refusal each of them was found.
        assert model is not None and config is not None and dataset is not None and selection is not None  # noqa: PT018, S101
        return Draft(self._build(identity, replace(request, config=config), selection), dataset, selection, model)

    def _require_devices(self, gpus: int) -> None:
        devices = self._queue.device_count()
        if devices is not None and gpus > devices:
            message = f"The job asks for {gpus} GPUs, but this machine has {devices}."
            raise Rejected(message, code="TOO_MANY_GPUS", details=[Violation("gpus", message, gpus)])

    def _require_experiment(self, identity: Identity, experiment_id: str | None) -> None:
        if experiment_id is not None:
            owned_experiment(self._experiments, Identity(identity.user_id), experiment_id)

    def _resolved(self, request: SubmitRequest) -> TrainingConfig:
        """Defaults, then the preset's options, then what the user set."""
        if request.preset is None:
            return request.config
        presets = {preset.name: preset for preset in self._presets.presets()}
        if request.preset not in presets:
            message = f"There is no preset {request.preset!r}. Choose one of: {', '.join(presets) or 'none'}."
            raise Rejected(message, code="PRESET_UNKNOWN", details=[Violation("preset", message, request.preset)])
        return presets[request.preset].applied(request.config, chosen=request.chosen)

    def _select(self, dataset: Dataset) -> Selection:
        """What passes the gates. Raises Rejected (NOTHING_TO_TRAIN_ON)."""
        selection = select_for_training(self._datasets.items(dataset.id))
        if not selection.items:
            excluded = selection.excluded
            found = exclusion_sentence(excluded) or "it is empty"
            message = f"Dataset {dataset.id} has no item that may be trained on: {found}."
            counts = [Violation(f"excluded_items.{why}", f"{count} items", count) for why, count in excluded.items()]
            raise Rejected(message, code="NOTHING_TO_TRAIN_ON", details=[Violation("dataset_id", message), *counts])
        return selection

    def _build(self, identity: Identity, request: SubmitRequest, selection: Selection) -> Job:
        now = self._clock.now()
        train_count, val_count = request.config.train_val_counts(len(selection.items))
        return Job(
            id=str(uuid.uuid4()),
            user_id=identity.user_id,
            dataset_id=request.dataset_id,
            name=request.name,
            type=request.type,
            base_model=request.base_model,
            config=request.config,
            trigger_words=request.trigger_words,
            preset=request.preset,
            priority=request.priority,
            gpus=request.gpus,
            experiment_id=request.experiment_id,
            max_runtime_seconds=request.max_runtime_seconds,
            dataset_sha256=content_digest(selection.items),
            excluded_items={str(reason): count for reason, count in selection.excluded.items()},
            progress=Progress(train_count=train_count, val_count=val_count),
            created_at=now,
            updated_at=now,
        )


def _require_consistent(config: TrainingConfig, type: TrainingType, model: ModelView | None) -> None:  # noqa: A002 - the contract's word
    """Raises Rejected (OPTIONS_CONTRADICT)."""
    found = contradictions(config, type=type, family=model.entry.family if model else None)
    if found:
        message = " ".join(f"{each.field}: {each.message}" for each in found)
        raise Rejected(message, code="OPTIONS_CONTRADICT", details=found)


class _Refusals:
    """Everything that is wrong with a request, gathered before any of it is told."""

    def __init__(self) -> None:
        self._found: list[tuple[str, Rejected | NotFound | Refused]] = []

    def of(self, field: str, find: Callable[[], Found]) -> Found | None:
        """What `find` returns; None for what it refuses, which then counts against `field`."""
        try:
            return find()
        except (Rejected, NotFound, Refused) as refusal:
            self._found.append((field, refusal))
            return None

    def settle(self) -> None:
        """Raises what was found: one refusal as it is, several as one Rejected."""
        if len(self._found) == 1:
            raise self._found[0][1]
        if self._found:
            message = " ".join(refusal.message for _, refusal in self._found)
            listed = [refusal.details or (Violation(field, refusal.message),) for field, refusal in self._found]
            raise Rejected(message, details=[violation for each in listed for violation in each])
