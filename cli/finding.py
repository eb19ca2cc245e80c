"""What one of doctor's checks says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"  # jobs run, but perhaps not as meant
    FAILING = "failing"  # no job can run until this is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what to do about it."""

    level: Level
    subject: str
    message: str
    advice: str = ""

    @property
    def is_failing(self) -> bool:
        return self.level is Level.FAILING

    def as_dict(self) -> dict[str, Any]:
        return {"subject": self.subject, "level": self.level, "message": self.message, "advice": self.advice}

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.level:<8} {self.subject:<9}", self.message, self.advice) if part)
