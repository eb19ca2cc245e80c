"""A LoRA that the real trainer made of photographs, from the upload to the adapter, for many tests to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.installation import Installation, User

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "configs" / "samples" / "photographs"
TRAINED_WITHIN_SECONDS = 1800.0  # a machine that does other things too
NAME = "گربه و فنجان"
TRIGGER_WORD = "عکس"
CONFIG = {
    "steps": 100,
    "resolution": 256,
    "lora_rank": 8,
    "lora_alpha": 8,
    "learning_rate": 2e-3,
    "train_val_split": 0.2,
}


@dataclass(frozen=True)
class Trained:
    """`answer` is what the submission was told, `container` what the engine knew of it while it ran."""

    installation: Installation
    user: User
    dataset_id: str
    answer: dict[str, Any]
    container: dict[str, Any]
    job: dict[str, Any]

    @property
    def job_id(self) -> str:
        job_id: str = self.job["id"]
        return job_id

    def records(self, kind: str) -> list[dict[str, Any]]:
        return self.user.records(self.job_id, kind)

    def look(self, path: str = "", **query: Any) -> Any:
        return self.user.get(f"/training/jobs/{self.job_id}{path}", **query)


def photographs() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PHOTOGRAPHS.iterdir() if path.suffix in (".jpg", ".txt")}


def train(installation: Installation) -> Trained:
    """Of nine photographs one is rejected and one may not be trained on."""
    user = installation.user("photographer")
    dataset_id = user.upload(photographs())
    rejected, forbidden, *_ = user.get(f"/datasets/{dataset_id}/items")
    for item, change in ((rejected, {"approval": "rejected"}), (forbidden, {"prohibited_uses": ["training"]})):
        changed = user.http.patch(f"/datasets/{dataset_id}/items/{item['id']}", json=change)
        assert changed.status_code == 200, changed.text
    answer = user.submit(TRIGGER_WORD, dataset_id=dataset_id, config=CONFIG, name=NAME)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["job_id"]
    user.wait(job_id, "running")
    container = installation.inspect(job_id)
    job = user.wait(job_id, "completed", within_seconds=TRAINED_WITHIN_SECONDS)
    return Trained(installation, user, dataset_id, answer.json(), container, job)
