"""A folder of pictures and captions as one zip, the form in which it is uploaded."""

from __future__ import annotations

import zipfile
from pathlib import Path

from cli.errors import UsageProblem
from orchestrator.domain.dataset import CAPTION_SUFFIX, IMAGE_SUFFIXES


def write_archive(folder: Path, archive: Path) -> int:
    """Zip the folder's pictures and captions (no subfolders, nothing else) into `archive`; the number of pictures."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    if not pictures:
        raise UsageProblem(f"{folder} holds no pictures: expected {', '.join(IMAGE_SUFFIXES)}, captions beside them.")
    stems = {picture.stem for picture in pictures}
    captions = [path for path in files if path.suffix.lower() == CAPTION_SUFFIX and path.stem in stems]
    # Stored, not deflated: pictures do not get smaller. Old file dates, which zip refuses, do not matter here.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, strict_timestamps=False) as target:
        for path in (*pictures, *captions):
            target.write(path, path.name)
    return len(pictures)
