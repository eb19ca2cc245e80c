"""Everything that can be refused without torch: a hopeless job ends here, well under a second after its start.

Dataset and model folder come from outside, so each file is opened as hostile.
"""

import hashlib
import io
import os
import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from lora_trainer.buckets import bucket_for
from lora_trainer.captions import Unreadable, caption_of, read_metadata
from lora_trainer.errors import BadConfig, DiskFull, UnusableDataset, summarise
from lora_trainer.files import read_limited
from lora_trainer.machine import available_cpus

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
IMAGE_FORMATS = ["PNG", "JPEG", "WEBP"]
ANIMATED_FORMATS = {"PNG", "WEBP"}
QUARTER_TURNS = range(5, 9)  # EXIF orientations that swap width and height
MAX_IMAGE_BYTES = 128 * 2**20
MAX_IMAGE_PIXELS = 64_000_000
MIN_FREE_BYTES = 64 * 2**20  # less does not hold one checkpoint and the adapter files


@dataclass(frozen=True, slots=True)
class Item:
    path: Path
    sha256: str  # of the image file's bytes
    size: tuple[int, int]  # width, height as displayed (EXIF orientation applied)
    caption: str  # one line, "" where there is none
    frames: int = 1  # more than one: an animation, of which the first is trained on


def inspect_outputs(folder: Path, *, needed_bytes: int = MIN_FREE_BYTES) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadConfig(f"output_path: {folder} is not a folder this user may write to")
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DiskFull(f"output_path: {folder} has {free_bytes} bytes free; a run needs at least {needed_bytes}")


def inspect_dataset(folder: Path) -> list[Item]:
    """Decode every picture and caption; all unusable files are named at once."""
    paths = _image_paths(folder)
    if not paths:
        raise UnusableDataset(f"the dataset has no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    metadata, problems = read_metadata(folder, {path.name for path in paths})
    problems += _ambiguous_names(paths)
    with ThreadPoolExecutor(available_cpus()) as pool:
        results = list(pool.map(lambda path: _inspect_item(path, metadata), paths))
    spoilt = [result for result in results if isinstance(result, str)]
    if spoilt:
        problems.insert(0, f"{len(spoilt)} of {len(paths)} items are unusable: {summarise(spoilt)}")
    if problems:
        raise UnusableDataset(summarise(problems))
    return [result for result in results if isinstance(result, Item)]


def require_prompts(items: list[Item], trigger_words: tuple[str, ...]) -> None:
    """Without a single word to train on, nothing could call what was learned."""
    if not trigger_words and not any(item.caption for item in items):
        raise UnusableDataset("no image has a caption, and the job has no trigger words to take instead")


def dataset_warnings(items: list[Item], *, resolution: int, captions_matter: bool) -> Iterator[str]:
    """What is trained on although its owner might not expect it, each in one sentence that names the files."""
    small = [item for item in items if bucket_for(item.size, resolution).enlarges(item.size)]
    if small:
        names = summarise([f"{item.path.name} ({item.size[0]}x{item.size[1]})" for item in small])
        yield f"{len(small)} images are smaller than resolution {resolution} asks for and are enlarged: {names}"
    silent = [item.path.name for item in items if not item.caption]
    if captions_matter and silent:
        yield f"{len(silent)} images have no caption: {summarise(silent)}"
    animated = [item.path.name for item in items if item.frames > 1]
    if animated:
        yield f"{len(animated)} images are animated and only their first frame is used: {summarise(animated)}"
    copies = _copies(items)
    if copies:
        yield f"{len(copies)} images are copies of others and count more than once: {summarise(copies)}"
    if len(items) == 1:
        yield f"the dataset is one image, {items[0].path.name}: the adapter will hardly learn more than that picture"


def _image_paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    except OSError as exc:
        raise UnusableDataset(f"the dataset folder {folder} cannot be read ({exc.strerror})") from exc


def _ambiguous_names(paths: list[Path]) -> list[str]:
    """Pictures of one name share one caption file, and at most one of them can be meant by it."""
    by_stem = defaultdict(list)
    for path in paths:
        by_stem[path.stem].append(path.name)
    return [f"{' and '.join(names)} share one name" for names in by_stem.values() if len(names) > 1]


def _copies(items: list[Item]) -> list[str]:
    first = {item.sha256: item for item in reversed(items)}
    return [item.path.name for item in items if first[item.sha256] is not item]


def _inspect_item(path: Path, metadata: Mapping[str, str]) -> Item | str:
    try:
        caption = caption_of(path, metadata)
    except Unreadable as exc:
        return str(exc)
    return _inspect_image(path, caption)


def _inspect_image(path: Path, caption: str) -> Item | str:
    try:
        content = read_limited(path, MAX_IMAGE_BYTES)
        size, frames = _decoded(content)
        return Item(path, hashlib.sha256(content).hexdigest(), size, caption, frames)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return f"{path.name} has more than {MAX_IMAGE_PIXELS} pixels"
    except UnidentifiedImageError:
        return f"{path.name} is not a PNG, JPEG or WebP picture"
    # Pillow's decoders raise all of these on a damaged file.
    except (OSError, ValueError, SyntaxError, EOFError) as exc:
        return f"{path.name} cannot be read ({exc})"


def _decoded(content: bytes) -> tuple[tuple[int, int], int]:
    """Width and height as displayed, and the number of frames."""
    with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
        width, height = image.size
        if width * height > MAX_IMAGE_PIXELS:
            raise Image.DecompressionBombError
        is_rotated = image.getexif().get(ExifTags.Base.Orientation, 1) in QUARTER_TURNS
        # A JPEG's further pictures are a camera's previews, no animation.
        frames = getattr(image, "n_frames", 1) if image.format in ANIMATED_FORMATS else 1
        image.draft("RGB", (256, 256))  # JPEG only: decodes at a fraction of the size, still reads every byte
        image.load()
    return (height, width) if is_rotated else (width, height), frames


# A picture that large is refused by its header, before a byte of it is decoded.
Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
