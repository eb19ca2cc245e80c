"""Links to artifacts: to the copy in an object store where there is one."""

from __future__ import annotations

import uuid

import pytest

from orchestrator.adapters.memory import MemoryObjectStore
from orchestrator.adapters.sql import SqlArtifactTicketStore, SqlUploadStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.errors import NotFound
from orchestrator.ports.upload_store import UploadOutcome
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.records import LINK_TIME, ArtifactCopies, Link, Records
from orchestrator.services.tickets import Issued
from tests.factories import NOW
from tests.unit.services.world import ADMIN, ALICE, BOB, World

KEY = "folder/job/adapter.safetensors"


@pytest.fixture
def objects() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def uploads(database: Database) -> SqlUploadStore:
    return SqlUploadStore(database)


@pytest.fixture
def records(world: World, database: Database, uploads: SqlUploadStore, objects: MemoryObjectStore) -> Records:
    return Records(
        jobs=world.store,
        records=world.records,
        artifacts=world.artifacts,
        workspace=world.workspace,
        tickets=ArtifactTickets(store=SqlArtifactTicketStore(database), clock=world.clock),
        copies=ArtifactCopies(uploads, objects, world.clock),
    )


@pytest.fixture
def copied(world: World, uploads: SqlUploadStore, objects: MemoryObjectStore) -> str:
    """The id of an artifact of Alice's with a copy."""
    artifact = Artifact(
        id=str(uuid.uuid4()),
        job_id=world.submit(ALICE),
        attempt=1,
        kind=ArtifactKind.ADAPTER,
        name="adapter.safetensors",
        path="adapter.safetensors",
        size_bytes=7,
        sha256="0" * 64,
        created_at=NOW,
    )
    world.records.add_artifacts([artifact])
    uploads.settle(artifact.id, UploadOutcome.UPLOADED, object_key=KEY, at=NOW)
    objects.objects[KEY] = b"weights"
    return artifact.id


def test_its_owner_gets_a_signed_address_that_expires(records: Records, copied: str, world: World) -> None:
    link = records.link(ALICE, copied)
    assert link is not None
    assert KEY in link.url
    assert "download=adapter.safetensors" in link.url
    assert link.expires_at == world.clock.now() + LINK_TIME


def test_so_does_an_admin_and_nobody_else(records: Records, copied: str) -> None:
    assert records.link(ADMIN, copied) is not None
    with pytest.raises(NotFound) as anothers:
        records.link(BOB, copied)
    with pytest.raises(NotFound) as nobodys:
        records.link(BOB, str(uuid.uuid4()))
    assert anothers.value.code == nobodys.value.code == "ARTIFACT_NOT_FOUND"


def test_without_a_copy_there_is_no_link(records: Records, copied: str, uploads: SqlUploadStore) -> None:
    uploads.settle(copied, UploadOutcome.FILE_GONE, object_key=None, at=NOW)
    assert records.link(ALICE, copied) is None


@pytest.mark.parametrize("trouble", ["away", "gone"])
def test_a_copy_that_cannot_be_signed_for_leaves_the_local_file(
    records: Records, copied: str, objects: MemoryObjectStore, trouble: str
) -> None:
    if trouble == "away":
        objects.is_away = True
    else:
        objects.objects.clear()
    assert records.link(ALICE, copied) is None


def test_a_browser_follows_a_link_to_the_copy_and_without_one_a_ticket(
    records: Records, copied: str, uploads: SqlUploadStore
) -> None:
    link = records.open_link(ALICE, copied, name="cups-2.safetensors")
    assert isinstance(link, Link)
    assert "download=cups-2.safetensors" in link.url

    uploads.settle(copied, UploadOutcome.FILE_GONE, object_key=None, at=NOW)
    assert isinstance(records.open_link(ALICE, copied), Issued)
    with pytest.raises(NotFound):
        records.open_link(BOB, copied)
