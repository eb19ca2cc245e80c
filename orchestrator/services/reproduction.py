"""Where an adapter came from, making it once more, going on from it, and what two jobs have different."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.artifact import checkpoint_step
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.config_diff import Difference, differences, facts_of
from orchestrator.domain.continuation import remarks_on, steps_of
from orchestrator.domain.dataset import DatasetVersion
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.events import status_event
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import Attempt, Job, Progress
from orchestrator.domain.lineage import Lineage
from orchestrator.domain.registered_model import ModelVersion
from orchestrator.domain.training import TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import VersionStore
from orchestrator.ports.job_store import JobStore, Submission
from orchestrator.ports.model_registry import ModelRegistry
from orchestrator.ports.model_store import ModelStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.checkpoints import named_checkpoint
from orchestrator.services.models import Models
from orchestrator.services.ownership import actor_on, owned_job


@dataclass(frozen=True, slots=True)
class LineageView:
    """A job, the lineage of its newest attempt, all its attempts, and those of its checkpoints that were registered."""

    job: Job
    lineage: Lineage
    attempts: Sequence[Attempt]
    promoted: Sequence[ModelVersion]


@dataclass(frozen=True, slots=True)
class Rerun:
    """The new job, and what cannot be as it was; `after` None: nobody knows yet."""

    job: Job
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueRequest:
    """`steps` in all, those up to the checkpoint included; None: as `continuation.steps_of` says."""

    steps: int | None = None
    checkpoint: str | None = None  # its name or the id of one of its files; None: the newest


@dataclass(frozen=True, slots=True)
class Continuation:
    """A job that goes on where another ended, and what is to be said of it; a plan's job is not stored."""

    job: Job
    differences: Sequence[Difference]  # what it has different from the other
    remarks: Sequence[str]


class Reproduction:
    """Every method raises NotFound for an unknown job, and for another user's."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        versions: VersionStore,
        models: Models,
        model_store: ModelStore,
        registry: ModelRegistry,
        clock: Clock,
        wake_up: WakeUp,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._versions = versions
        self._models = models
        self._model_store = model_store
        self._registry = registry
        self._clock = clock
        self._wake_up = wake_up

    def lineage(self, identity: Identity, job_id: str) -> LineageView:
        """Raises NotFound (LINEAGE_NOT_FOUND) for a job that was never launched, and for one that trains no adapter."""
        job = owned_job(self._jobs, identity, job_id)
        lineage = self._records.lineage(job.id)
        if lineage is None:
            message = f"Job {job.id} has no lineage: that begins with the first launch of a job that trains an adapter."
            raise NotFound(message, code="LINEAGE_NOT_FOUND")
        return LineageView(job, lineage, self._jobs.attempts(job.id), self._registry.promoted(job.id))

    def rerun(self, identity: Identity, job_id: str, submission: Submission | None = None) -> Rerun:
        """Queue a new job that is to give the same adapter: same settings and seed, same version of the dataset.

        Raises Conflict for a job that has not ended (JOB_NOT_ENDED) and for one whose dataset was deleted
        (DATASET_VERSION_GONE) or that trains no adapter (NO_ADAPTER), Rejected (MODEL_NOT_ALLOWED, MODEL_NOT_READY)
        when its base model is not to be had.
        """
        original = self._ended(identity, job_id)
        lineage = self._records.lineage(original.id)
        self._models.require(original.base_model)
        revision = self._revision(original.base_model)
        job = self._again(original, lineage)
        story = f"Submitted as a re-run of job {original.id}."
        stored = self._add(identity, original, job, submission, story=story, action=AuditAction.JOB_RERUN)
        return Rerun(stored, self._changed(lineage, revision) if lineage else ())

    def plan_to_continue(self, identity: Identity, job_id: str, request: ContinueRequest) -> Continuation:
        """What `continue_` would do, with nothing stored. Raises what that raises."""
        return self._continued(self._ended(identity, job_id), request)

    def continue_(
        self, identity: Identity, job_id: str, request: ContinueRequest, submission: Submission | None = None
    ) -> Continuation:
        """Queue a new job that goes on from a checkpoint of an ended one: its settings, more steps, its version of the
        dataset.

        Raises what `rerun` raises, Rejected (CHECKPOINT_NOT_FOUND, NOTHING_TO_CONTINUE), and Conflict
        (BASE_MODEL_CHANGED) when the base model is another by now.
        """
        original = self._ended(identity, job_id)
        found = self._continued(original, request)
        story = f"Submitted to go on from {found.job.continues_from} of job {original.id}."
        stored = self._add(identity, original, found.job, submission, story=story, action=AuditAction.JOB_CONTINUED)
        return replace(found, job=stored)

    def diff(self, identity: Identity, job_id: str, other_id: str) -> Sequence[Difference]:
        """From the one job to the other. Raises NotFound."""
        job = owned_job(self._jobs, identity, job_id)
        other = owned_job(self._jobs, identity, other_id)
        before, after = (facts_of(each, self._records.lineage(each.id)) for each in (job, other))
        return differences(before, after)

    def _ended(self, identity: Identity, job_id: str) -> Job:
        original = owned_job(self._jobs, identity, job_id)
        if not original.status.is_final:
            raise Conflict("The job has not ended yet. Cancel it first, or wait.", code="JOB_NOT_ENDED")
        if original.type is TrainingType.DIAGNOSTIC:
            raise Conflict("A diagnostic job trains no adapter. Start another with `POST /train`.", code="NO_ADAPTER")
        return original

    def _add(
        self,
        identity: Identity,
        original: Job,
        job: Job,
        submission: Submission | None,
        *,
        story: str,
        action: AuditAction,
    ) -> Job:
        actor = actor_on(original, identity)
        event = status_event(None, job, story, actor=actor)
        audit = self._audit(original, job, identity, action) if actor is Actor.ADMIN else None
        self._models.want(job.base_model)  # before the job is there: a failed download would end it
        stored = self._jobs.add(job, event, submission, audit=audit)
        self._wake_up.notify()
        return stored

    def _continued(self, original: Job, request: ContinueRequest) -> Continuation:
        self._models.require(original.base_model)
        checkpoint = named_checkpoint(self._records, original.id, request.checkpoint)
        lineage = self._records.lineage(original.id)
        after = checkpoint_step(checkpoint) or 0
        steps = steps_of(original, after=after, wanted=request.steps)
        changed = self._changed(lineage, self._revision(original.base_model)) if lineage else ()
        if any(difference.field == "base_model_revision" for difference in changed):
            message = f"{original.base_model} is another by now than the one job {original.id} was trained on."
            raise Conflict(message, code="BASE_MODEL_CHANGED")
        again = self._again(original, lineage)
        job = replace(
            again,
            config=replace(original.training_config, steps=steps),
            retry_of=None,
            continues=original.id,
            continues_from=checkpoint,
            progress=replace(again.progress, checkpoint_step=after),
        )
        longer = differences({"config.steps": original.config.steps}, {"config.steps": steps})
        return Continuation(job, [*longer, *changed], remarks_on(original, after=after, steps=steps))

    def _revision(self, base_model: str) -> str:
        return self._model_store.revision(self._models.get(base_model).entry)

    def _version(self, job: Job) -> DatasetVersion:
        if job.dataset_sha256 is None:
            message = f"Job {job.id} was submitted before versions of datasets were kept. Submit it anew."
            raise Conflict(message, code="DATASET_VERSION_GONE")
        try:
            return self._versions.get(job.dataset_id, job.dataset_sha256)
        except NotFound as error:
            message = f"Dataset {job.dataset_id} was deleted, and what job {job.id} trained on with it."
            raise Conflict(message, code="DATASET_VERSION_GONE") from error

    def _again(self, original: Job, lineage: Lineage | None) -> Job:
        now = self._clock.now()
        item_count = len(self._version(original).items)
        train_count, val_count = original.training_config.train_val_counts(item_count)
        return Job(
            id=str(uuid.uuid4()),
            user_id=original.user_id,
            dataset_id=original.dataset_id,
            dataset_sha256=original.dataset_sha256,
            excluded_items=original.excluded_items,
            name=original.name,
            type=original.type,
            base_model=original.base_model,
            config=original.config,
            trigger_words=original.trigger_words,
            preset=original.preset,
            priority=original.priority,
            gpus=original.gpus,
            experiment_id=original.experiment_id,
            max_runtime_seconds=original.max_runtime_seconds,
            # What it ran with in the end: another order of the same sums rounds differently.
            memory_profile=lineage.memory_profile if lineage else original.memory_profile,
            retry_of=original.id,
            progress=Progress(train_count=train_count, val_count=val_count),
            created_at=now,
            updated_at=now,
        )

    def _changed(self, lineage: Lineage, revision: str) -> Sequence[Difference]:
        status = self._records.engine_status()
        was = {"base_model_revision": lineage.base_model_revision, "image_digest": lineage.image_digest}
        now = {"base_model_revision": revision, "image_digest": status.image_digest if status else None}
        return differences(was, now)

    def _audit(self, original: Job, job: Job, identity: Identity, action: AuditAction) -> AuditEntry:
        what = "Run once more" if action is AuditAction.JOB_RERUN else "Continued"
        return AuditEntry(
            actor=identity.user_id,
            action=action,
            subject=original.id,
            message=f"{what} as job {job.id}.",
            data={"owner": original.user_id, "job_id": job.id},
            at=job.created_at,
        )
