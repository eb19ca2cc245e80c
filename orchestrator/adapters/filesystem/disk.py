"""Disk of the data folder."""

from __future__ import annotations

import shutil
from pathlib import Path


class FilesystemDisk:
    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:
            return 0
