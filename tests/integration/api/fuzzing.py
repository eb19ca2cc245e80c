"""The API half of an installation with some of everything in its store, to be asked everything a stranger can think of.

The API runs as `lorry api` does, over a real store and real folders; nobody orchestrates, so that a thousand
submissions start no container.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from api.app import create_app
from api.options import ApiOptions
from api.server import Server
from orchestrator import bootstrap
from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, connect
from orchestrator.bootstrap import identity_service
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.job import Job
from orchestrator.json_log import configure_json_log
from orchestrator.settings import Settings
from tests.factories import picture_bytes
from tests.unit.api.installation import PlayedOrchestrator
from tests.waiting import eventually

_READY = re.compile(r"^ready: (\S+)$", re.MULTILINE)
_UNLIMITED = "1000000/minute"
_STARTED_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    url: str
    token: str
    known_ids: Mapping[str, list[str]]  # by the name of the parameter that takes them
    log: Path


@contextmanager
def running_api(data_dir: Path) -> Iterator[Target]:
    log = data_dir / "api.log"
    settings = {"DATA_DIR": str(data_dir), "PORT": "0", "GPUS": "none", "SUBMIT_WAIT_SECONDS": "0.05"}
    limits = {"SUBMIT_RATE": _UNLIMITED, "REQUEST_RATE": _UNLIMITED}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LORRY_")}
    environment = inherited | {f"LORRY_{name}": value for name, value in (settings | limits).items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", "tests.integration.api.fuzzing"), env=environment, stdout=output, stderr=output
        )
    try:
        url = eventually(
            lambda: _READY.search(log.read_text()), within_seconds=_STARTED_WITHIN_SECONDS, what="an API that is ready"
        )[1]
        token = identity_service(Settings(data_dir=data_dir)).issue("fuzzer", is_admin=True)
        yield Target(url, token, _furnish(url, token, data_dir), log)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """`lorry api`, but whoever presents wrong tokens may go on for ever: each refusal is to be seen."""
    settings = Settings.load()
    configure_json_log(settings.log_level)
    lorry = bootstrap.build(settings)
    options = ApiOptions(
        submit_rate=settings.submit_rate,
        request_rate=settings.request_rate,
        failed_authentication_rate=_UNLIMITED,
        submit_wait_seconds=settings.submit_wait_seconds,
    )
    Server(create_app(lorry.services, options), host=settings.host, port=settings.port).run()
    lorry.close()


def _furnish(url: str, token: str, data_dir: Path) -> dict[str, list[str]]:
    """A dataset, and jobs that wait, failed and run; the failed one has a file."""
    headers = {"Authorization": f"Bearer {token}", "Prefer": "respond-async"}
    with httpx2.Client(base_url=f"{url}/api", headers=headers, timeout=30, trust_env=False) as user:
        parts = [("files", (f"{name}.png", picture_bytes(64, 64))) for name in ("one", "two")]
        dataset_id = _data(user.post("/datasets/upload", files=parts))["id"]
        items = _data(user.get(f"/datasets/{dataset_id}/items"))
        body = {"dataset_id": dataset_id, "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}}
        job_ids = [_data(user.post("/training/jobs", json=body))["id"] for _ in range(3)]
    with closing(connect(Settings(data_dir=data_dir).store_url)) as database:
        jobs = SqlJobStore(database)
        orchestrator = PlayedOrchestrator(jobs)
        orchestrator.fail_launch(_job(jobs, job_ids[1]))
        orchestrator.start(_job(jobs, job_ids[2]))
        artifact = _keep_file(data_dir, job_ids[1])
        SqlRecordStore(database).add_artifacts([artifact])
    known_ids = {"job_id": job_ids, "dataset_id": [dataset_id], "artifact_id": [artifact.id]}
    return known_ids | {"item_id": [item["id"] for item in items]}


def _keep_file(data_dir: Path, job_id: str) -> Artifact:
    content = b"weights"
    folder = data_dir / "artifacts" / job_id
    folder.mkdir(parents=True)
    (folder / "adapter.safetensors").write_bytes(content)
    return Artifact(
        id=str(uuid4()),
        job_id=job_id,
        attempt=1,
        kind=ArtifactKind.ADAPTER,
        name="adapter.safetensors",
        path="adapter.safetensors",
        size_bytes=len(content),
        sha256=sha256(content).hexdigest(),
        created_at=datetime.now(UTC),
    )


def _job(jobs: SqlJobStore, job_id: str) -> Job:
    job = jobs.get(job_id)
    assert job is not None
    return job


def _data(answer: httpx2.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["data"]


if __name__ == "__main__":
    main()
