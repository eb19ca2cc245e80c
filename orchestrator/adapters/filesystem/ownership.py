"""Who owns the files a container writes: the container's user, whoever the orchestrator runs as."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """Numeric user and group of the training containers."""

    uid: int
    gid: int

    @classmethod
    def parse(cls, user: str) -> Owner:
        """From the `uid:gid` of a container spec."""
        uid, _, gid = user.partition(":")
        return cls(int(uid), int(gid))

    def take(self, path: str | os.PathLike[str]) -> None:
        """Give `path` to this user. Only root can; anyone else runs containers as itself and owns it already."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
