"""What is said about each picture: the .txt file beside it, else its line in metadata.jsonl."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from lora_trainer.files import read_limited

METADATA_FILE = "metadata.jsonl"
MAX_CAPTION_BYTES = 64 * 1024
MAX_METADATA_BYTES = 16 * 2**20


class Unreadable(Exception):
    """The message names the file."""


def read_metadata(folder: Path, pictures: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """(caption of each picture that metadata.jsonl names, problems by line), as in Hugging Face's imagefolder."""
    captions: dict[str, str] = {}
    try:
        lines = (_read_text(folder / METADATA_FILE, MAX_METADATA_BYTES) or "").splitlines()
    except Unreadable as exc:
        return {}, [str(exc)]
    problems = [
        f"{METADATA_FILE} line {number} {problem}"
        for number, line in enumerate(lines, start=1)
        if line.strip() and (problem := _add_line(line, captions, pictures))
    ]
    return captions, problems


def caption_of(picture: Path, metadata: Mapping[str, str]) -> str:
    """One line, "" where there is none. Raises Unreadable."""
    text = _read_text(picture.with_suffix(".txt"), MAX_CAPTION_BYTES)
    return metadata.get(picture.name, "") if text is None else _one_line(text)


def _read_text(path: Path, limit: int) -> str | None:
    """None where there is no such file."""
    try:
        return read_limited(path, limit).decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as exc:
        raise Unreadable(f"{path.name} is not UTF-8 text") from exc
    except (OSError, ValueError) as exc:
        raise Unreadable(f"{path.name} cannot be read ({exc})") from exc


def _add_line(line: str, captions: dict[str, str], pictures: Collection[str]) -> str | None:
    """Take one line of metadata.jsonl into `captions`; returns what is wrong with it."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return "is not valid JSON"
    name, caption = (entry.get("file_name"), entry.get("text")) if isinstance(entry, dict) else (None, None)
    if not (isinstance(name, str) and isinstance(caption, str)):
        return "must hold file_name and text, both strings"
    if name not in pictures:
        return f"names {name[:100]!r}, which is no picture of this folder"
    if name in captions:
        return f"names {name} a second time"
    captions[name] = _one_line(caption)
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
