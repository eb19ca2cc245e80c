"""Checking pictures in a bounded process, one for a whole upload."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("picture_check.py")
PREVIEW_SIDE = 512  # pixels
_MEMORY_BYTES = 1024**3
_SECONDS_TO_START = 20
_SECONDS_PER_PICTURE = 2
_SECONDS_PER_CLEAN_PICTURE = 10  # encoding takes longer than decoding

# What `examine` of picture_check says of one picture: suffix, size and measured facts, or a problem.
Finding = dict[str, Any]
# Of one behind another that killed the process.
NOT_LOOKED_AT: Finding = {"problem": "was not looked at"}


@dataclass(frozen=True, slots=True)
class ToExamine:
    """A picture, where its preview goes, and where the picture without its metadata goes, if that is wanted."""

    picture: Path
    preview: Path
    clean: Path | None = None

    def as_request(self) -> dict[str, str | None]:
        return {
            "picture": str(self.picture),
            "preview": str(self.preview),
            "clean": str(self.clean) if self.clean else None,
        }


def examine_all(
    pictures: Sequence[ToExamine], max_pixels: int, *, preview_side: int = PREVIEW_SIDE, program: Path = _PROGRAM
) -> list[Finding]:
    """One finding a picture, in order; a preview has `preview_side` pixels a side at most.

    When a picture kills the process, those behind it are not looked at.

    Raises OSError when the disk says no.
    """
    per_picture = (_SECONDS_PER_CLEAN_PICTURE if picture.clean else _SECONDS_PER_PICTURE for picture in pictures)
    seconds = _SECONDS_TO_START + sum(per_picture)
    request = {
        "pictures": [picture.as_request() for picture in pictures],
        "max_pixels": max_pixels,
        "preview_side": preview_side,
        "memory_bytes": _MEMORY_BYTES,
        "cpu_seconds": seconds,
    }
    findings = _answers(program, json.dumps(request), seconds)
    for finding in findings:
        if "errno" in finding:
            raise OSError(finding["errno"], os.strerror(finding["errno"]))
    if len(findings) < len(pictures):
        findings.append({"problem": "made the decoder crash or take too long"})
    return findings + [NOT_LOOKED_AT] * (len(pictures) - len(findings))


def _answers(program: Path, request: str, seconds: int) -> list[Finding]:
    """Complete lines only: what a killed process was about to say does not count."""
    try:
        process = subprocess.run(
            [sys.executable, "-I", str(program)],
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1"},  # each thread would reserve memory of its own
            timeout=seconds,
            check=False,
        )
        output = process.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
