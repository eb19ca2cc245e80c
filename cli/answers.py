"""The API's answers as far as the command line reads them. Keys it does not know are passed through by --json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar

FINAL_STATUSES = ("completed", "failed", "cancelled")


class Identity(TypedDict):
    user_id: str
    is_admin: bool


class QueuePlace(TypedDict):
    position: int
    reason: str
    explanation: str
    freed_by: str
    waiting_since: str
    eta_seconds: float | None
    eta_low_seconds: float | None
    eta_high_seconds: float | None


class Best(TypedDict):
    value: float
    step: int


class Bests(TypedDict):
    loss: Best | None
    val_loss: Best | None


class Job(TypedDict):
    id: str
    name: str | None
    type: str
    dataset_id: str
    base_model: str
    config: dict[str, Any]
    notes: str | None
    tags: list[str]
    status: str
    attempt: int
    container_id: str | None
    progress: float
    phase: str | None
    current_step: int
    total_steps: int
    eta_seconds: float | None
    metrics: dict[str, Any]
    best: Bests
    best_checkpoint: str | None
    queue: QueuePlace | None
    end_reason: str | None
    error_message: str | None
    restorable_until: str | None
    created_at: str
    started_at: str | None
    completed_at: str | None


class Submitted(TypedDict):
    job_id: str
    status: str
    message: str


class Estimate(TypedDict):
    duration_seconds: float
    cost: float | None
    explanation: str


class DiskNeed(TypedDict):
    needed_bytes: int | None
    free_bytes: int
    fits: bool | None


class MemoryNeed(TypedDict):
    needed_bytes: int
    is_measured: bool  # else the weights alone
    total_bytes: int | None
    free_bytes: int | None
    fits: bool | None


class PlanWarning(TypedDict):
    code: str
    message: str
    field: str | None


class Plan(TypedDict):
    config: dict[str, Any]
    item_count: int
    train_count: int
    val_count: int
    total_steps: int
    total_epochs: int
    starts_now: bool
    queue: QueuePlace | None
    estimate: Estimate | None
    disk: DiskNeed
    memory: MemoryNeed | None
    warnings: list[PlanWarning]


class Dataset(TypedDict):
    id: str
    name: str
    item_count: int
    captioned_count: int
    size_bytes: int
    created_at: str


class DatasetItem(TypedDict):
    id: str
    original_name: str
    caption: str | None
    excluded: str | None  # why jobs do not train on it
    width: int
    height: int
    size_bytes: int


class Bucket(TypedDict):
    width: int
    height: int
    count: int


class Finding(TypedDict):
    problem: str
    message: str
    item_ids: list[str]


class Advice(TypedDict):
    advice: str
    reason: str


class Report(TypedDict):
    resolution: int
    item_count: int
    trainable_count: int
    excluded_items: dict[str, int]
    buckets: list[Bucket]
    findings: list[Finding]
    advice: list[Advice]


class Model(TypedDict):
    id: str
    family: str
    status: str
    ready: bool
    fetchable: bool
    progress: int | None  # percent, while it is downloading
    message: str | None
    size: str | None
    memory: str | None
    revision: str
    licence: str
    description: str


class ModelVersion(TypedDict):
    name: str
    version: int
    job_id: str | None
    step: int | None  # of a checkpoint; null: what the job ended with
    artifact_id: str | None
    sha256: str | None


class Artifact(TypedDict):
    id: str
    job_id: str
    attempt: int
    kind: str
    name: str
    path: str  # relative to the job's files; unlike the name it is unique
    size_bytes: int
    sha256: str


class Metric(TypedDict):
    attempt: int
    step: int
    epoch: int
    loss: float
    val_loss: float | None
    learning_rate: float | None
    throughput: float | None  # samples a second
    gpu_utilization: float | None
    gpu_memory_bytes: int | None


class Event(TypedDict):
    id: int
    attempt: int
    type: str
    message: str
    at: str
    data: dict[str, Any]


class Webhook(TypedDict):
    id: str
    url: str
    events: list[str]
    created_at: str
    failing_since: str | None
    disabled_at: str | None
    disabled_reason: str | None


class NewWebhook(Webhook):
    secret: str  # shown this once


class Delivery(TypedDict):
    id: str
    event: str
    job_id: str | None
    state: str
    tries: int
    status_code: int | None
    error: str | None
    created_at: str


class Usage(TypedDict):
    cpu_percent: float | None  # 100 is one whole CPU
    memory_bytes: int | None


class Container(TypedDict):
    id: str
    name: str
    state: str
    owner: str | None
    job_id: str | None
    usage: Usage
    gpu_ids: list[str]
    age_seconds: float | None


class Suspect(TypedDict):
    reason: str


class Device(TypedDict):
    id: str
    owner: str | None
    job_id: str | None
    suspect: Suspect | None  # it failed a job and completed none since


class UserLimit(TypedDict):
    user_id: str
    max_active_jobs: int


class Maintenance(TypedDict):
    is_on: bool
    reason: str | None
    actor: str | None
    since: str | None


class AuditEntry(TypedDict):
    id: int
    actor: str
    action: str
    subject: str
    message: str
    at: str


class Experiment(TypedDict):
    id: str
    name: str
    description: str | None
    job_count: int
    created_at: str


class Difference(TypedDict):
    field: str
    before: Any
    after: Any


class Rerun(TypedDict):
    job: Job
    differences: list[Difference]  # what cannot be as it was


class Continuation(TypedDict):
    job: Job
    checkpoint: str
    step: int
    steps: int
    differences: list[Difference]
    remarks: list[str]


class Tally(TypedDict):
    total: int
    jobs: dict[str, int]  # by state
    success_rate: float | None  # 0 to 1
    mean_queue_seconds: float | None
    mean_run_seconds: float | None
    gpu_hours: float
    cost: float | None


class Statistics(Tally):
    since: str
    until: str
    currency: str
    by_day: dict[str, Tally]
    by_base_model: dict[str, Tally]
    by_user: dict[str, Tally] | None  # of everybody's jobs alone


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `total` counts over all pages."""

    items: list[Item]
    total: int
    page: int
