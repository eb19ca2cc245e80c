"""Assets, samples, downloads and how adapters are used, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from orchestrator.adapters.sql import SqlSampleStore
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.events import JobEvent
from orchestrator.domain.lifecycle import EndReason
from orchestrator.services.thumbnails import Thumbnails
from tests.contract.thumbnail_store import huge_bytes
from tests.factories import NOW, make_artifact, noise_bytes, picture_bytes
from tests.unit.api.installation import BOB, Installation

JOBS = "/api/training/jobs"


def leave(lorry: Installation, job_id: str, path: str, kind: ArtifactKind, data: bytes = b"x") -> Artifact:
    """A job's container left a file."""
    lorry.workspace.prepare(job_id, {})
    lorry.workspace.write(job_id, path, data)
    found = next(file for file in lorry.artifacts.collect(job_id) if file.path == path)
    job = lorry.jobs.get(job_id)
    artifact = make_artifact(job, path=path, kind=kind, size_bytes=found.size_bytes, sha256=found.sha256)
    lorry.records.add_artifacts([artifact])
    return artifact


def get(lorry: Installation, path: str, **headers: str) -> Any:
    return lorry.client.get(path, headers=lorry.as_user() | headers)


class TestDownload:
    @pytest.fixture
    def artifact(self, lorry: Installation) -> Artifact:
        return leave(lorry, lorry.submit(), "adapter.safetensors", ArtifactKind.ADAPTER, b"0123456789")

    @pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
    def test_who_has_the_bytes_is_not_sent_them_again(self, lorry: Installation, artifact: Artifact, form: str) -> None:
        answer = get(lorry, f"/api/artifacts/{artifact.id}/download", **{"If-None-Match": form.format(artifact.sha256)})

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == f'"{artifact.sha256}"'

    def test_who_has_others_is(self, lorry: Installation, artifact: Artifact) -> None:
        answer = get(lorry, f"/api/artifacts/{artifact.id}/download", **{"If-None-Match": '"other"'})

        assert (answer.status_code, answer.content) == (200, b"0123456789")

    def test_head_tells_size_and_tag(self, lorry: Installation, artifact: Artifact) -> None:
        answer = lorry.client.head(f"/api/artifacts/{artifact.id}/download", headers=lorry.as_user())

        assert (answer.status_code, answer.content) == (200, b"")
        assert (answer.headers["Content-Length"], answer.headers["ETag"]) == ("10", f'"{artifact.sha256}"')

    def test_a_range_beyond_the_end_is_refused_with_the_size(self, lorry: Installation, artifact: Artifact) -> None:
        answer = get(lorry, f"/api/artifacts/{artifact.id}/download", Range="bytes=10-")

        assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")


class TestSamples:
    PICTURE = picture_bytes()

    @pytest.fixture
    def job_id(self, lorry: Installation) -> str:
        return lorry.submit()

    def test_samples_come_by_step_with_their_prompts(self, lorry: Installation, job_id: str) -> None:
        for step in (200, 100):
            path = f"samples/step-{step:06d}.png"
            leave(lorry, job_id, path, ArtifactKind.SAMPLE, self.PICTURE)
            told = {"step": step, "path": path, "prompt": "گربه", "seed": 7}
            event = JobEvent(job_id=job_id, attempt=1, type="sample", message="", at=NOW, data=told)
            lorry.jobs.save(lorry.jobs.get(job_id), events=[event])
        leave(lorry, job_id, "samples/untold.png", ArtifactKind.SAMPLE, self.PICTURE)
        assert self.steps_and_prompts(lorry, job_id) == [(100, "گربه"), (200, "گربه")]

        lorry.client.post(f"{JOBS}/{job_id}/cancel", headers=lorry.as_user())
        assert self.steps_and_prompts(lorry, job_id) == [(None, None), (100, "گربه"), (200, "گربه")]

    def steps_and_prompts(self, lorry: Installation, job_id: str) -> list[tuple[int | None, str | None]]:
        samples = get(lorry, f"{JOBS}/{job_id}/samples").json()["data"]
        return [(sample["step"], sample["prompt"]) for sample in samples]

    def test_a_sample_is_shown_inline_as_nothing_but_a_picture(self, lorry: Installation, job_id: str) -> None:
        artifact = leave(lorry, job_id, "samples/1.png", ArtifactKind.SAMPLE, self.PICTURE)
        answer = get(lorry, f"/api/artifacts/{artifact.id}/image")

        assert (answer.status_code, answer.content) == (200, self.PICTURE)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert "Content-Disposition" not in answer.headers
        again = get(lorry, f"/api/artifacts/{artifact.id}/image", **{"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304

    def test_a_sample_has_a_small_copy_once_it_was_looked_at(self, lorry: Installation, job_id: str) -> None:
        artifact = leave(lorry, job_id, "samples/1.png", ArtifactKind.SAMPLE, noise_bytes(640, 640))
        lorry.client.post(f"{JOBS}/{job_id}/cancel", headers=lorry.as_user())
        (sample,) = get(lorry, f"{JOBS}/{job_id}/samples").json()["data"]
        before = get(lorry, sample["thumbnail_url"])
        full = get(lorry, sample["image_url"])
        assert (before.content, before.headers["Cache-Control"]) == (full.content, "private, no-cache")

        assert not Thumbnails(samples=SqlSampleStore(lorry.database), thumbnails=lorry.thumbnails).make_some()

        small = get(lorry, sample["thumbnail_url"])
        with Image.open(io.BytesIO(small.content)) as picture:
            assert picture.size == (320, 320)
        assert len(small.content) < len(full.content) / 10
        assert (small.headers["Content-Type"], small.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
        assert "immutable" in small.headers["Cache-Control"]
        assert small.headers["ETag"] == f'"{artifact.sha256}-small"' != full.headers["ETag"]
        again = get(lorry, sample["thumbnail_url"], **{"If-None-Match": small.headers["ETag"]})
        assert again.status_code == 304
        assert get(lorry, sample["image_url"]).content == full.content
        assert get(lorry, f"/api/artifacts/{artifact.id}/image?size=huge").status_code == 400
        others = lorry.client.get(sample["thumbnail_url"], headers=lorry.as_user(BOB))
        assert others.status_code == 404

    @pytest.mark.parametrize("data", [b"no picture", huge_bytes()], ids=["undecodable", "of 48 million pixels"])
    def test_a_sample_beyond_the_bounds_is_downloaded_and_not_shown(
        self, lorry: Installation, job_id: str, data: bytes
    ) -> None:
        artifact = leave(lorry, job_id, "samples/1.png", ArtifactKind.SAMPLE, data)
        Thumbnails(samples=SqlSampleStore(lorry.database), thumbnails=lorry.thumbnails).make_some()

        for size in ("small", "full"):
            answer = get(lorry, f"/api/artifacts/{artifact.id}/image?size={size}")
            assert (answer.status_code, answer.json()["error"]) == (404, "PICTURE_NOT_FOUND")
        assert get(lorry, f"/api/artifacts/{artifact.id}/download").content == data

    def test_any_other_file_is_not_shown(self, lorry: Installation, job_id: str) -> None:
        files = [
            leave(lorry, job_id, path, kind)
            for path, kind in (
                ("samples/notes.txt", ArtifactKind.SAMPLE),
                ("adapter.safetensors", ArtifactKind.ADAPTER),
                ("other.png", ArtifactKind.OTHER),
            )
        ]
        for file in files:
            answer = get(lorry, f"/api/artifacts/{file.id}/image")
            assert (answer.status_code, answer.json()["error"]) == (404, "PICTURE_NOT_FOUND")


def test_adapters_and_checkpoints_are_uniform_assets(lorry: Installation) -> None:
    job_id = lorry.submit()
    leave(lorry, job_id, "adapter.safetensors", ArtifactKind.ADAPTER, b"x" * 2048)
    leave(lorry, job_id, "checkpoints/step-000100/state.safetensors", ArtifactKind.CHECKPOINT)
    leave(lorry, job_id, "checkpoints/step-000100/manifest.json", ArtifactKind.CHECKPOINT)
    leave(lorry, lorry.submit(BOB), "adapter.safetensors", ArtifactKind.ADAPTER)

    body = get(lorry, "/api/training/assets").json()
    assert body["total"] == 2
    shown = {asset["kind"]: asset for asset in body["data"]}
    assert (shown["model"]["size"], shown["model"]["size_bytes"], shown["model"]["source"]) == (
        "2.0 KiB",
        2048,
        "training",
    )
    assert shown["checkpoint"]["name"] == "checkpoints/step-000100/state.safetensors"
    assert {(asset["status"], asset["downloadedAt"] is None) for asset in body["data"]} == {("ready", False)}


def test_datasets_are_in_the_catalogue_as_they_are_in_their_list(lorry: Installation) -> None:
    lorry.dataset()

    assert get(lorry, "/api/catalog/datasets").json() == get(lorry, "/api/datasets").json()
    assert get(lorry, "/api/catalog/datasets").json()["total"] == 1


def test_an_adapter_says_how_it_is_used(lorry: Installation) -> None:
    job_id = lorry.submit(trigger_words=["sks"])
    adapter = leave(lorry, job_id, "cat.safetensors", ArtifactKind.ADAPTER)
    usage = get(lorry, f"/api/artifacts/{adapter.id}/usage").json()["data"]

    assert usage["prompt"] == "sks"
    assert "cat.safetensors" in usage["comfyui"]
    assert "path/to/tiny-sd15" in usage["diffusers"]
    sample = leave(lorry, job_id, "samples/1.png", ArtifactKind.SAMPLE)
    refused = get(lorry, f"/api/artifacts/{sample.id}/usage")
    assert (refused.status_code, refused.json()["error"]) == (400, "NOT_AN_ADAPTER")


def test_a_failed_job_goes_on_from_the_checkpoint_that_an_asset_is(lorry: Installation) -> None:
    job_id = lorry.submit()
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    checkpoint = leave(lorry, job_id, "checkpoints/step-000100/state.safetensors", ArtifactKind.CHECKPOINT)
    job = lorry.jobs.get(job_id)
    lorry.jobs.save(job.ended(EndReason.TRAINER_FAILED, at=job.updated_at))

    strange = lorry.client.post(
        f"{JOBS}/{job_id}/retry", json={"from_checkpoint": make_artifact().id}, headers=lorry.as_user()
    )
    assert (strange.status_code, strange.json()["error"]) == (400, "CHECKPOINT_NOT_FOUND")
    answer = lorry.client.post(
        f"{JOBS}/{job_id}/retry", json={"from_checkpoint": checkpoint.id}, headers=lorry.as_user()
    )
    assert answer.status_code == 200, answer.text
    assert lorry.jobs.get(job_id).resume_from == "step-000100"
