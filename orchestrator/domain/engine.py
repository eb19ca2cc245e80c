"""What the Docker Engine says of itself, and what an operator should know about it before jobs run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# The first runc without CVE-2024-21626, by which a container reaches the host's files.
SAFE_RUNC = (1, 1, 12)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """None and the defaults: the engine did not say, or it is on another machine."""

    engine_id: str
    version: str
    has_nvidia_runtime: bool
    has_live_restore: bool = True
    runc_version: str | None = None
    data_root: str | None = None  # where it keeps images and containers
    data_root_free_bytes: int | None = None


def engine_warnings(facts: EngineFacts, *, min_free_bytes: int) -> Sequence[str]:
    """Sentences about what lets jobs run and may hurt them; none for an engine that is as it should be."""
    warnings = []
    if not facts.has_live_restore:
        warnings.append(
            "Running jobs end when the engine restarts, and are tried again. "
            'Set "live-restore": true in its daemon.json to let them go on.'
        )
    if facts.runc_version is not None and _is_older(facts.runc_version, SAFE_RUNC):
        safe = ".".join(map(str, SAFE_RUNC))
        warnings.append(
            f"runc {facts.runc_version} is older than {safe}, which closed CVE-2024-21626: update it, "
            "unless your distribution closed it in its own version."
        )
    if facts.data_root_free_bytes is not None and facts.data_root_free_bytes < min_free_bytes:
        free = facts.data_root_free_bytes / 1024**3
        warnings.append(f"Only {free:.1f} GiB are free in the engine's own folder {facts.data_root}: make room there.")
    return warnings


def _is_older(version: str, wanted: tuple[int, int, int]) -> bool:
    """False for a version that names no three numbers: what cannot be read is not warned about."""
    found = _VERSION.match(version)
    return found is not None and tuple(map(int, found.groups())) < wanted
