"""Reading what may be too large, and writing where there may be no room."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lora_trainer.errors import DiskFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def read_limited(path: Path, limit: int) -> bytes:
    """Raises OSError, and ValueError for a file of more than `limit` bytes."""
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"larger than {limit} bytes")
    return content


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever is written inside, in the end `path`: a full disk becomes DiskFull, which names it."""
    try:
        yield
    except Exception as exc:
        if is_out_of_room(exc):
            raise DiskFull(f"no room is left in the outputs folder to write {path.name}") from exc
        raise


def is_out_of_room(error: Exception) -> bool:
    """Also for safetensors, whose errors carry the number in their text only."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    found = re.search(r"\(os error (\d+)\)", str(error))
    return found is not None and int(found[1]) in _NO_ROOM
