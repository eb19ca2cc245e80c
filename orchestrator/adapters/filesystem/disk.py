"""Disk of the data folder, measured at the first of the given folders that there is."""

from __future__ import annotations

import shutil
from pathlib import Path


class FilesystemDisk:
    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def free_bytes(self) -> int:
        for folder in self._folders:
            try:
                return shutil.disk_usage(folder).free
            except OSError:
                continue
        return 0
