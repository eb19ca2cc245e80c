"""Checking pictures in a bounded process, one for a whole upload."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("picture_check.py")
_MEMORY_BYTES = 1024**3
_SECONDS_TO_START = 20
_SECONDS_PER_PICTURE = 2

# What `examine` of picture_check says of one picture: suffix, width and height, or a problem.
Finding = dict[str, Any]


def examine_all(paths: Sequence[Path], max_pixels: int, *, program: Path = _PROGRAM) -> list[Finding]:
    """One finding a path, in order. When a picture kills the process, those behind it are not looked at."""
    seconds = _SECONDS_TO_START + _SECONDS_PER_PICTURE * len(paths)
    request = {
        "paths": [str(path) for path in paths],
        "max_pixels": max_pixels,
        "memory_bytes": _MEMORY_BYTES,
        "cpu_seconds": seconds,
    }
    findings = _answers(program, json.dumps(request), seconds)
    if len(findings) < len(paths):
        findings.append({"problem": "made the decoder crash or take too long"})
    return findings + [{"problem": "was not looked at"}] * (len(paths) - len(findings))


def _answers(program: Path, request: str, seconds: int) -> list[Finding]:
    """Complete lines only: what a killed process was about to say does not count."""
    try:
        process = subprocess.run(
            [sys.executable, "-I", str(program)],
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=seconds,
            check=False,
        )
        output = process.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
