"""A Supabase project and two machines without a common disk: the API on one, the engine on the other.

The project is the tests' own (`tests/integration/supabase`); the engine and the trainer are the real ones.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from safetensors.numpy import load

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import Installation, User
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer
from tests.integration.supabase.signer import Signer
from tests.pgbouncer import running_pgbouncer
from tests.postgres import Postgres
from tests.waiting import DEADLINE_SECONDS, eventually

pytestmark = pytest.mark.docker

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "configs" / "samples" / "photographs"
TRAINED_WITHIN_SECONDS = 1_500.0  # on a machine that does many other things
READY_WITHIN_SECONDS = 300.0
COPIED_WITHIN_SECONDS = 120.0
POSTS = 50


@dataclass(frozen=True)
class Site:
    project: SupabaseServer
    api: Installation
    engine: Installation

    def sign_in(self, **claims: Any) -> User:
        user_id = str(uuid.uuid4())
        self.project.sign_up(user_id)
        return User(self.api.url, self.project.signer.mint(user_id, **claims))


@pytest.fixture(scope="module")
def database_url(postgres: Postgres) -> str:
    return postgres.create_supabase()


@pytest.fixture(scope="module")
def project(database_url: str) -> Iterator[SupabaseServer]:
    server = SupabaseServer(database_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def session_pooler(database_url: str) -> Iterator[str]:
    with running_pgbouncer(database_url, pool_mode="session") as url:
        yield url


@pytest.fixture(scope="module")
def site(install_for_module: MakeInstallation, project: SupabaseServer, session_pooler: str) -> Site:
    """With the fake trainer, and through a pooler of sessions, as most projects are reached."""
    return begin(install_for_module, project, session_pooler)


@pytest.fixture
def training_site(install: MakeInstallation, postgres: Postgres) -> Iterator[Site]:
    """With the real trainer, and a project of its own."""
    url = postgres.create_supabase()
    server = SupabaseServer(url)
    server.start()
    yield begin(install, server, url, LORRY_IMAGE="training-image")
    server.stop()


def begin(install: MakeInstallation, project: SupabaseServer, database_url: str, **changes: str) -> Site:
    settings = {
        "LORRY_DATABASE_URL": database_url,
        "LORRY_SUPABASE_URL": project.url,
        "LORRY_SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "LORRY_SUPABASE_SECRET_KEY": SECRET_KEY,
        "LORRY_SUPABASE_DATASET_BUCKET": "datasets",
        "LORRY_SUBMIT_RATE": "100000/minute",
        "LORRY_UNDO_DELETE_SECONDS": "0",
        **changes,
    }
    site = Site(project, api=install(**settings), engine=install(**settings))
    site.api.serve("api")
    site.engine.start("orchestrate")
    # Once its engine's machine has built the model, which the real image takes its time for.
    eventually(lambda: site.api.probe("/ready").is_success, within_seconds=READY_WITHIN_SECONDS, what="a ready site")
    return site


@pytest.fixture
def alice(site: Site) -> User:
    return site.sign_in()


def photographs() -> dict[str, bytes]:
    """Three: what the trainer makes of many is shown elsewhere, and each takes it seconds."""
    return {path.name: path.read_bytes() for path in PHOTOGRAPHS.glob("cat-*")}


def test_a_dataset_in_storage_becomes_an_adapter_in_storage(site: Site, alice: User) -> None:
    adapter = trained_from_storage(site, alice, DEADLINE_SECONDS)
    received = httpx2.get(linked(alice, adapter), trust_env=False)
    assert hashlib.sha256(received.content).hexdigest() == adapter["sha256"]
    stranger = site.sign_in()
    assert stranger.http.get(f"/artifacts/{adapter['id']}/link").status_code == 404
    alice.http.delete(f"/training/jobs/{adapter['job_id']}")
    key = f"{adapter['job_id']}/{adapter['path']}"
    eventually(
        lambda: not [name for _, name in site.project.storage.objects if name.endswith(key)],
        within_seconds=COPIED_WITHIN_SECONDS,
        what="a copy that goes with its job",
    )


@pytest.mark.trainer
def test_photographs_in_storage_are_trained_on_by_the_real_trainer(training_site: Site) -> None:
    alice = training_site.sign_in()
    adapter = trained_from_storage(training_site, alice, TRAINED_WITHIN_SECONDS)
    received = httpx2.get(linked(alice, adapter), trust_env=False)
    assert hashlib.sha256(received.content).hexdigest() == adapter["sha256"]
    assert load(received.content)
    listed = alice.records(adapter["job_id"], "artifacts")
    assert linked(alice, next(artifact for artifact in listed if artifact["name"] == "README.md"))


def trained_from_storage(site: Site, user: User, within_seconds: float) -> dict[str, Any]:
    """The adapter of a job on photographs that the engine's machine had to fetch."""
    dataset_id = user.upload(photographs())
    assert not (site.engine.data_dir / "datasets" / dataset_id).exists()
    config = {"steps": 100, "resolution": 256, "lora_rank": 4, "lora_alpha": 4, "learning_rate": 2e-3}
    job_id = user.start("lorry photo", dataset_id=dataset_id, config=config)
    job = user.wait(job_id, "completed", within_seconds=within_seconds)
    assert (job["attempt"], job["train_count"]) == (1, 3)
    return next(artifact for artifact in user.records(job_id, "artifacts") if artifact["kind"] == "adapter")


def test_while_storage_is_away_a_job_waits_with_the_reason_and_can_be_cancelled(site: Site, alice: User) -> None:
    dataset_id = alice.upload()
    site.project.broken.add("/storage/v1/object/authenticated")
    job_id = alice.start(dataset_id=dataset_id)
    eventually(lambda: "Storage" in (alice.job(job_id)["queue"] or {}).get("reason", ""), what="the reason it waits")
    assert alice.job(job_id)["status"] == "queued"
    site.project.broken.clear()
    alice.http.post(f"/training/jobs/{job_id}/cancel")
    assert alice.wait(job_id, "cancelled")["attempt"] == 0


def test_fifty_submissions_at_once_with_one_key_are_one_job(site: Site, alice: User) -> None:
    dataset_id = alice.upload()
    body = {"dataset_id": dataset_id, "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}}
    headers = {"Idempotency-Key": "one-and-the-same", "Prefer": "respond-async"}

    def post(_: int) -> httpx2.Response:
        return alice.http.post("/training/submit", json=body, headers=headers)

    with ThreadPoolExecutor(POSTS) as pool:
        answers = list(pool.map(post, range(POSTS)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    assert alice.http.get("/training/jobs").json()["total"] == 1
    alice.http.post(f"/training/jobs/{answers[0].json()['job_id']}/cancel")


def test_a_token_of_another_project_opens_nothing(site: Site) -> None:
    user_id = str(uuid.uuid4())
    foreign = Signer(issuer=site.project.signer.issuer).mint(user_id)
    assert User(site.api.url, foreign).http.get("/training/jobs").status_code == 401


def linked(user: User, artifact: dict[str, Any]) -> str:
    """The signed address of an artifact's copy in Storage, once it is there."""

    def signed() -> str | None:
        link = user.get(f"/artifacts/{artifact['id']}/link")
        return str(link["url"]) if link["expires_at"] else None

    return eventually(signed, within_seconds=COPIED_WITHIN_SECONDS, what=f"{artifact['name']} in Storage") or ""
