"""Prior preservation (DreamBooth, arXiv:2208.12242): the base model's own pictures of the subject's class.

They are drawn once, before the adapter exists, and trained on beside the subject, so that the class keeps its look.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from lora_trainer.buckets import Bucket
from lora_trainer.data import Example
from lora_trainer.evaluate import SAMPLER_STEPS, save_picture
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.files import writing


def draw_class_images(
    family: Family,
    folder: Path,
    *,
    prompt: str,
    empty: Conditioning,
    count: int,
    seed: int,
    resolution: int,
    before_each: Callable[[], None],
) -> list[Example]:
    """Draw the ones that `folder` lacks: an interrupted run goes on where it was. Each has a fixed seed of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    conditioning = family.encode_prompts([prompt])
    for index in range(count):
        path = _path(folder, index)
        before_each()
        if path.exists():
            continue
        picture = family.sample(conditioning, empty, seed=seed + index, resolution=resolution, steps=SAMPLER_STEPS)
        staging = folder / "staging.png"
        with writing(path):
            save_picture(picture, staging)
        staging.replace(path)
    bucket = Bucket(resolution, resolution)
    return [
        Example(path, hashlib.sha256(path.read_bytes()).hexdigest(), (resolution, resolution), bucket, prompt)
        for path in (_path(folder, index) for index in range(count))
    ]


def _path(folder: Path, index: int) -> Path:
    return folder / f"{index:04d}.png"
