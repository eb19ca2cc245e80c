"""Everything that can be refused without torch: a hopeless job ends here, well under a second after its start.

Dataset and model folder come from outside, so each file is opened as hostile.
"""

import hashlib
import io
import json
import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from lora_trainer.errors import BadConfig, UnusableBaseModel, UnusableDataset, summarise
from lora_trainer.families import FAMILIES, FamilyEntry
from lora_trainer.machine import available_cpus

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
IMAGE_FORMATS = ["PNG", "JPEG", "WEBP"]
QUARTER_TURNS = range(5, 9)  # EXIF orientations that swap width and height
MAX_IMAGE_BYTES = 128 * 2**20
MAX_IMAGE_PIXELS = 64_000_000
MAX_CAPTION_BYTES = 64 * 1024
MAX_HEADER_BYTES = 100 * 2**20
PICKLE_SUFFIXES = {".bin", ".ckpt", ".pt", ".pth"}


@dataclass(frozen=True, slots=True)
class Item:
    path: Path
    sha256: str  # of the image file's bytes
    size: tuple[int, int]  # width, height as displayed (EXIF orientation applied)
    caption: str  # one line, "" where there is none


def inspect_outputs(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadConfig(f"output_path: {folder} is not a folder this user may write to")


def inspect_dataset(folder: Path) -> list[Item]:
    """Decode every picture and caption; all unusable files are named at once."""
    paths = _image_paths(folder)
    if not paths:
        raise UnusableDataset(f"the dataset has no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    with ThreadPoolExecutor(available_cpus()) as pool:
        results = list(pool.map(_inspect_item, paths))
    problems = [result for result in results if isinstance(result, str)]
    if problems:
        raise UnusableDataset(f"{len(problems)} of {len(paths)} items are unusable: {summarise(problems)}")
    return [result for result in results if isinstance(result, Item)]


def dataset_warnings(items: list[Item], *, resolution: int, captions_matter: bool) -> Iterator[str]:
    small = [item.path.name for item in items if min(item.size) < resolution]
    if small:
        yield f"{len(small)} images are smaller than {resolution} px and are enlarged: {summarise(small)}"
    silent = [item.path.name for item in items if not item.caption]
    if captions_matter and silent:
        yield f"{len(silent)} images have no caption: {summarise(silent)}"
    copies = len(items) - len({item.sha256 for item in items})
    if copies:
        yield f"{copies} images are copies of others and count more than once"


def inspect_base_model(folder: Path) -> FamilyEntry:
    """The model's family, if its folder is complete and holds safetensors, whose loading runs no code."""
    index = _read_json(folder / "model_index.json")
    class_name = index.get("_class_name")
    family = FAMILIES.get(str(class_name))
    if family is None:
        known = ", ".join(FAMILIES)
        raise UnusableBaseModel(f"base model is a {class_name!r}; this trainer knows {known}")
    problems = [problem for part in family.parts if (problem := _part_problem(folder / part))]
    if problems:
        raise UnusableBaseModel(f"base model is unusable: {summarise(problems)}")
    return family


def _image_paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    except OSError as exc:
        raise UnusableDataset(f"the dataset folder {folder} cannot be read ({exc.strerror})") from exc


def _inspect_item(path: Path) -> Item | str:
    caption_path = path.with_suffix(".txt")
    try:
        caption = _read_caption(caption_path)
    except UnicodeDecodeError:
        return f"{caption_path.name} is not UTF-8 text"
    except (OSError, ValueError) as exc:
        return f"{caption_path.name} cannot be read ({exc})"
    return _inspect_image(path, caption)


def _inspect_image(path: Path, caption: str) -> Item | str:
    try:
        content = _read_limited(path, MAX_IMAGE_BYTES)
        return Item(path, hashlib.sha256(content).hexdigest(), _decoded_size(content), caption)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return f"{path.name} has more than {MAX_IMAGE_PIXELS} pixels"
    except UnidentifiedImageError:
        return f"{path.name} is not a PNG, JPEG or WebP picture"
    # Pillow's decoders raise all of these on a damaged file.
    except (OSError, ValueError, SyntaxError, EOFError) as exc:
        return f"{path.name} cannot be read ({exc})"


def _decoded_size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
        width, height = image.size
        if width * height > MAX_IMAGE_PIXELS:
            raise Image.DecompressionBombError
        is_rotated = image.getexif().get(ExifTags.Base.Orientation, 1) in QUARTER_TURNS
        image.draft("RGB", (256, 256))  # JPEG only: decodes at a fraction of the size, still reads every byte
        image.load()
    return (height, width) if is_rotated else (width, height)


def _read_caption(path: Path) -> str:
    if not path.exists():
        return ""
    return " ".join(_read_limited(path, MAX_CAPTION_BYTES).decode("utf-8-sig").split())


def _read_limited(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"larger than {limit} bytes")
    return content


def _part_problem(folder: Path) -> str | None:
    """One component of the pipeline; folders without weights (tokenizer, scheduler) only need to be there."""
    if not folder.is_dir():
        return f"{folder.name}/ is missing"
    names = sorted(path.name for path in folder.iterdir())
    if folder.name in {"scheduler", "tokenizer"}:
        return None if names else f"{folder.name}/ is empty"
    weights = [folder / name for name in names if name.endswith(".safetensors")]
    if not weights:
        return _missing_weights(folder.name, names)
    return next((problem for path in weights if (problem := _weights_problem(path))), None)


def _missing_weights(part: str, names: Iterable[str]) -> str:
    pickles = [name for name in names if Path(name).suffix in PICKLE_SUFFIXES]
    if pickles:
        return f"{part}/{pickles[0]} is a pickle, which can run code when it is opened; only safetensors are loaded"
    return f"{part}/ holds no safetensors weights"


def _weights_problem(path: Path) -> str | None:
    """A safetensors file is header length (8 bytes, little endian), JSON header, tensors. A cut-off file shows here."""
    name = f"{path.parent.name}/{path.name}"
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        if header_bytes > MAX_HEADER_BYTES:
            return f"{name} is not a safetensors file"
        header = file.read(header_bytes)
    try:
        tensors = [entry for key, entry in json.loads(header).items() if key != "__metadata__"]
        expected_bytes = 8 + header_bytes + max(entry["data_offsets"][1] for entry in tensors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{name} is not a safetensors file"
    found_bytes = path.stat().st_size
    return None if found_bytes == expected_bytes else f"{name} has {found_bytes} bytes instead of {expected_bytes}"


def _read_json(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UnusableBaseModel(f"base model has no readable {path.name} in {path.parent} ({exc.strerror})") from exc
    except (ValueError, RecursionError) as exc:
        raise UnusableBaseModel(f"base model's {path.name} is not valid JSON ({exc})") from exc
    return document if isinstance(document, dict) else {}


# A picture that large is refused by its header, before a byte of it is decoded.
Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
