"""Every error a caller of the services can meet, without HTTP in it.

LorryError
|- Unauthenticated            no token, or one that is unknown or expired
|- Refused                    known caller, not allowed
|- Rejected                   the request is wrong; `details` lists every violation
|- NotFound                   no such thing, or somebody else's
|- Conflict                   not now
|  |- StaleJob                the stored job changed since it was loaded: look again
|  '- SlotTaken               the user's slots or the devices went to another job first
|- Deposed                    another orchestrator leads now: nothing was stored, stop acting
'- PortError                  an outside system failed; `transient` says whether trying again can help
   |- StoreUnavailable        transient
   |- IdentityUnavailable     transient: who the caller is cannot be told right now
   |- RuntimeUnavailable      transient: the engine did not answer, so nothing is known about its containers
   |- HubUnavailable          transient: a download broke off, or the hub of models did not answer
   |- HubRefused              the hub said no, or sent something else than it promised
   |- DiskFull                transient: no room for what was about to be written
   '- LaunchRefused           the engine answered and said no; `reason` is the EndReason
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.lifecycle import EndReason


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with one field; `value` is what was sent, when it is short enough to show."""

    field: str
    message: str
    value: Any = None


class LorryError(Exception):
    """Root. `code` is stable and documented, `message` is for people and holds no secret."""

    code = "INTERNAL"

    def __init__(self, message: str, *, code: str | None = None, details: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = tuple(details)


class Unauthenticated(LorryError):
    code = "UNAUTHENTICATED"


class Refused(LorryError):
    code = "FORBIDDEN"


class Rejected(LorryError):
    code = "VALIDATION_FAILED"


class NotFound(LorryError):
    code = "NOT_FOUND"


class Conflict(LorryError):
    code = "CONFLICT"


class StaleJob(Conflict):
    code = "STALE_JOB"


class SlotTaken(Conflict):
    code = "SLOT_TAKEN"


class Deposed(LorryError):
    """A write of an orchestrator whose term is over; nothing of it was stored."""

    code = "DEPOSED"


class TooLarge(Rejected):
    code = "TOO_LARGE"


class PortError(LorryError):
    code = "UPSTREAM_FAILED"
    transient = False


class StoreUnavailable(PortError):
    code = "STORE_UNAVAILABLE"
    transient = True


class IdentityUnavailable(PortError):
    code = "IDENTITY_UNAVAILABLE"
    transient = True


class RuntimeUnavailable(PortError):
    code = "ENGINE_UNREACHABLE"
    transient = True


class HubUnavailable(PortError):
    code = "HUB_UNAVAILABLE"
    transient = True


class HubRefused(PortError):
    code = "HUB_REFUSED"


class DiskFull(PortError):
    code = "DISK_FULL"
    transient = True


class LaunchRefused(PortError):
    """The engine, the disk or the model cache said no to a launch; trying the same again would say no again."""

    code = "LAUNCH_FAILED"

    def __init__(self, reason: EndReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
