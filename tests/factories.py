"""Values for tests: valid by default, override the one thing a test is about."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import struct
import uuid
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.container import (
    LABEL_ATTEMPT,
    LABEL_JOB,
    TRAIN_COMMAND,
    Container,
    ContainerSpec,
    ContainerState,
    Limits,
)
from orchestrator.domain.dataset import Dataset, DatasetItem
from orchestrator.domain.diagnostic import DiagnosticConfig
from orchestrator.domain.estimates import Run, Work
from orchestrator.domain.events import Metric
from orchestrator.domain.experiment import Experiment
from orchestrator.domain.job import Attempt, Job, container_name
from orchestrator.domain.lineage import Lineage, LineageItem
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.model import CatalogueEntry, ModelSource
from orchestrator.domain.preset import Preset
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.domain.webhook import Delivery, Webhook, WebhookEvent
from orchestrator.ports.dataset_store import UploadedFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1024**2
_ages = itertools.count()


def make_job(**changes: Any) -> Job:
    """A queued job; each one is a millisecond younger than the last."""
    created_at = NOW + timedelta(milliseconds=next(_ages))
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": "user-1",
        "dataset_id": str(uuid.uuid4()),
        "type": TrainingType.LORA,
        "base_model": "lorry/tiny-sd15",
        "config": DiagnosticConfig() if changes.get("type") is TrainingType.DIAGNOSTIC else TrainingConfig(),
        "created_at": created_at,
        "updated_at": created_at,
    }
    return Job(**defaults | changes)


def make_attempt(job: Job | None = None, **changes: Any) -> Attempt:
    """The first attempt of a job."""
    job = job or make_job()
    number = changes.get("number", 1)
    defaults: dict[str, Any] = {
        "job_id": job.id,
        "number": number,
        "container_name": container_name(job.id, number),
        "created_at": job.created_at,
        "devices": ("cpu-0",),
    }
    return Attempt(**defaults | changes)


def make_metric(job_id: str, **changes: Any) -> Metric:
    """The first row of the first attempt."""
    defaults: dict[str, Any] = {
        "job_id": job_id,
        "attempt": 1,
        "step": 1,
        "epoch": 0,
        "loss": 0.5,
        "val_loss": None,
        "learning_rate": None,
        "throughput": None,
        "gpu_utilization": None,
        "gpu_memory_bytes": None,
        "recorded_at": NOW,
    }
    return Metric(**defaults | changes)


def make_limits(**changes: Any) -> Limits:
    """Small enough for a laptop, large enough for the fake trainer."""
    defaults: dict[str, Any] = {
        "memory_bytes": 512 * MIB,
        "cpus": 1.0,
        "pids": 64,
        "shm_bytes": 64 * MIB,
        "tmp_bytes": 64 * MIB,
        "open_files": 0,
        "log_max_bytes": MIB,
        "log_max_files": 2,
    }
    return Limits(**defaults | changes)


def make_spec(job_id: str | None = None, attempt: int = 1, **changes: Any) -> ContainerSpec:
    job_id = job_id or str(uuid.uuid4())
    defaults: dict[str, Any] = {
        "name": container_name(job_id, attempt),
        "image": "training-image",
        "command": TRAIN_COMMAND,
        "user": "10001:10001",
        "mounts": (),
        "limits": make_limits(),
        "devices": (),
        "labels": {LABEL_JOB: job_id, LABEL_ATTEMPT: str(attempt)},
    }
    return ContainerSpec(**defaults | changes)


def make_container(job_id: str | None = None, **changes: Any) -> Container:
    """A running container as an inspect shows it."""
    job_id = job_id or str(uuid.uuid4())
    defaults: dict[str, Any] = {
        "id": uuid.uuid4().hex * 2,
        "name": container_name(job_id, 1),
        "job_id": job_id,
        "attempt": 1,
        "state": ContainerState.RUNNING,
        "created_at": NOW,
        "started_at": NOW,
    }
    return Container(**defaults | changes)


def make_run(base_model: str = "lorry/tiny-sd15", steps: int = 100, seconds: float = 100.0, **changes: Any) -> Run:
    """A job that completed on a CPU slot; `changes` of what it did and of what was measured."""
    work = Work(base_model=base_model, resolution=512, images=1, is_checkpointing=False, is_on_gpu=False)
    measured = {name: changes.pop(name) for name in ("samples_a_second", "gpu_memory_bytes") if name in changes}
    return Run(work._replace(**changes), steps, seconds, **measured)


def make_dataset(**changes: Any) -> Dataset:
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": "user-1",
        "name": "cats",
        "item_count": 1,
        "captioned_count": 1,
        "size_bytes": 100,
        "sha256": "0" * 64,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Dataset(**defaults | changes)


def make_preset(**changes: Any) -> Preset:
    defaults: dict[str, Any] = {
        "name": "subject",
        "title": "Subject",
        "description": "A person or thing.",
        "config": {"steps": 1_500, "lora_rank": 8},
    }
    return Preset(**defaults | changes)


def make_experiment(**changes: Any) -> Experiment:
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": "user-1",
        "name": "ranks",
        "params": {},
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Experiment(**defaults | changes)


def make_item(dataset_id: str | None = None, **changes: Any) -> DatasetItem:
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "dataset_id": dataset_id or str(uuid.uuid4()),
        "file_name": "00001.png",
        "original_name": "cat.png",
        "caption": "a cat",
        "width": 64,
        "height": 64,
        "size_bytes": 100,
        "sha256": "0" * 64,
    }
    return DatasetItem(**defaults | changes)


def make_model(**changes: Any) -> CatalogueEntry:
    defaults: dict[str, Any] = {
        "id": "lorry/tiny-sd15",
        "family": "sd15",
        "source": ModelSource.BUILTIN,
        "revision": "builtin-1",
        "licence": "CC0-1.0",
        "description": "A tiny model for tests.",
    }
    return CatalogueEntry(**defaults | changes)


def make_artifact(job: Job | None = None, **changes: Any) -> Artifact:
    """A collected file of a job's first attempt."""
    job = job or make_job()
    path = changes.get("path", "adapter.safetensors")
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "job_id": job.id,
        "attempt": 1,
        "kind": ArtifactKind.ADAPTER,
        "name": path.rpartition("/")[2],
        "path": path,
        "size_bytes": 100,
        "sha256": "0" * 64,
        "created_at": job.created_at,
    }
    return Artifact(**defaults | changes)


def make_lineage(job: Job | None = None, **changes: Any) -> Lineage:
    job = job or make_job()
    defaults: dict[str, Any] = {
        "job_id": job.id,
        "attempt": 1,
        "dataset_id": job.dataset_id,
        "dataset_sha256": "d" * 64,
        "items": (LineageItem("item-1", "1" * 64), LineageItem("item-2", "2" * 64)),
        "caption_template": "{caption}",
        "base_model": job.base_model,
        "base_model_revision": "builtin-1",
        "image_digest": "sha256:" + "a" * 64,
        "config_sha256": "c" * 64,
        "memory_profile": MemoryProfile.NORMAL,
        "model_name": "cat",
        "model_version": 1,
        "recorded_at": NOW,
    }
    return Lineage(**defaults | changes)


def make_webhook(**changes: Any) -> Webhook:
    """One that is told of everything."""
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": "user-1",
        "url": "https://example.com/hook",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "events": tuple(WebhookEvent),
        "created_at": NOW,
    }
    return Webhook(**defaults | changes)


def make_delivery(webhook: Webhook, **changes: Any) -> Delivery:
    """One that is due."""
    defaults: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "webhook_id": webhook.id,
        "event": WebhookEvent.COMPLETED,
        "job_id": str(uuid.uuid4()),
        "body": "{}",
        "created_at": NOW,
        "next_try_at": NOW,
    }
    return Delivery(**defaults | changes)


def picture_bytes(width: int = 16, height: int = 12, *, file_format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(file, format=file_format, **options)
    return file.getvalue()


def noise_bytes(width: int, height: int, *, seed: int = 1) -> bytes:
    """A PNG in which nothing is flat."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def turned_exif() -> Image.Exif:
    """A camera that was held upright, somewhere."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the quarter turn that shows it upright
    exif[0x010E] = "Somewhere"
    return exif


def upload(files: Mapping[str, bytes]) -> list[UploadedFile]:
    """An upload of several files, by the client's names."""
    return [UploadedFile(name, io.BytesIO(content)) for name, content in files.items()]


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def adapter_tensors(
    file_format: str = "kohya", *, value: float = 0.01, network: str = "unet"
) -> dict[str, np.ndarray[Any, Any]]:
    """One adapted layer of rank 4; `network` as the format names it."""
    down, up = np.full((4, 8), value, np.float32), np.full((8, 4), value, np.float32)
    if file_format == "diffusers":
        return {f"{network}.to_q.lora_A.weight": down, f"{network}.to_q.lora_B.weight": up}
    layer = f"lora_{network}_to_q"
    return {
        f"{layer}.lora_down.weight": down,
        f"{layer}.lora_up.weight": up,
        f"{layer}.alpha": np.array(8, np.float32),
    }


def safetensors_bytes(tensors: Mapping[str, np.ndarray[Any, Any]], *, dtype: str = "F32", **header: Any) -> bytes:
    """A safetensors file; `header` overrides entries of its header."""
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, values in tensors.items():
        raw = values.tobytes()
        entries[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(entries | header).encode()
    return struct.pack("<Q", len(text)) + text + data


def adapter_bytes(file_format: str = "kohya") -> bytes:
    return safetensors_bytes(adapter_tensors(file_format))


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
