"""What this container was given."""

import math
import os
from pathlib import Path

CPU_QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")


def available_cpus(quota_file: Path = CPU_QUOTA_FILE) -> int:
    """The smaller of the CPUs this process may run on and the container's CPU quota, at least 1."""
    visible = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return visible
    return visible if quota == "max" else max(1, min(visible, math.ceil(int(quota) / int(period))))
