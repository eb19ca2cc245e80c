"""From dataset items to prompts and pixels. Numpy and Pillow only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lora_trainer.buckets import Bucket, bucket_for
from lora_trainer.config import JobConfig
from lora_trainer.preflight import IMAGE_FORMATS, Item

MIN_ITEMS_FOR_A_SPLIT = 5
TRIGGER_PLACEHOLDER = "[trigger]"


@dataclass(frozen=True, slots=True)
class Example:
    """One picture as it is trained on."""

    path: Path
    sha256: str  # of the image file's bytes
    size: tuple[int, int]  # width, height as displayed
    bucket: Bucket
    prompt: str


def example_of(item: Item, config: JobConfig) -> Example:
    bucket = bucket_for(item.size, config.training_params.resolution)
    return Example(item.path, item.sha256, item.size, bucket, prompt_of(item, config))


def prompt_of(item: Item, config: JobConfig) -> str:
    """Dreambooth trains every image on one instance prompt; otherwise the caption speaks."""
    if config.type == "dreambooth":
        return f"a photo of {', '.join(config.trigger_words)}"
    return apply_trigger_words(item.caption, config.trigger_words)


def apply_trigger_words(caption: str, words: Sequence[str]) -> str:
    """`[trigger]` in a caption becomes the trigger words; words the caption still lacks are put in front."""
    caption = caption.replace(TRIGGER_PLACEHOLDER, ", ".join(words))
    absent = [word for word in words if not _mentions(caption, word)]
    return ", ".join([*absent, caption] if caption else absent)


def default_sample_prompt(first_prompt: str, config: JobConfig) -> str:
    return ", ".join(config.trigger_words) or first_prompt


def split(items: Sequence[Item], share: float) -> tuple[list[Item], list[Item]]:
    """(train, held out), decided by content alone: the same pictures split alike under any name and on any machine.

    The number held out is exact, so that it can be foretold; a picture that is added moves at most one other across.
    """
    held_out = int(len(items) * share) if len(items) >= MIN_ITEMS_FOR_A_SPLIT else 0
    by_content = sorted(items, key=lambda item: (item.sha256, item.path.name))
    return by_content[held_out:], by_content[:held_out]


def load_pixels(path: Path, bucket: Bucket) -> NDArray[np.float32]:
    """The picture as (3, height, width) in -1..1: upright, cropped around its centre to the shape, then resized."""
    with Image.open(path, formats=IMAGE_FORMATS) as image:
        upright = _to_rgb(ImageOps.exif_transpose(image))
    scale = min(upright.width / bucket.width, upright.height / bucket.height)
    width, height = bucket.width * scale, bucket.height * scale
    left, top = (upright.width - width) / 2, (upright.height - height) / 2
    fitted = upright.resize(
        (bucket.width, bucket.height), Image.Resampling.LANCZOS, box=(left, top, left + width, top + height)
    )
    pixels = np.asarray(fitted, dtype=np.float32).transpose(2, 0, 1)
    return pixels / np.float32(127.5) - np.float32(1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip it to white
        grey = np.asarray(image, dtype=np.float32) / np.float32(257)
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")


def _mentions(caption: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", caption, re.IGNORECASE) is not None
