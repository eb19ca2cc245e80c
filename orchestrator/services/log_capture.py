"""Container logs into the job's own file: each line once, in the engine's order, with a mark where some are missing.

An attempt remembers its place in both: the newest timestamp it captured with how many lines carry it, and the size of
the file with exactly those lines in it. What a crash left in the file before the place was stored is cut off again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.job import Attempt
from orchestrator.ports.container_runtime import ContainerRuntime, LogLine
from orchestrator.ports.workspace import Workspace

LINES_MISSING = "[lines are missing here: the engine dropped them before they were read]"
REST_MISSING = "[the last lines are missing here: the engine did not give them in time]"


class LogCapture:
    def __init__(self, *, runtime: ContainerRuntime, workspace: Workspace) -> None:
        self._runtime = runtime
        self._workspace = workspace

    def take_bite(self, attempt: Attempt, container_id: str, *, limit_bytes: int) -> tuple[Attempt, bool]:
        """Append lines that are new; the caller stores the returned attempt. And whether that was all there is."""
        if attempt.log_bytes > self._workspace.log_limit_bytes:
            return attempt, True
        bite = self._runtime.logs(container_id, since=attempt.log_since, limit_bytes=limit_bytes)
        new = list(_after_captured(bite.lines, attempt))
        if not new:
            return attempt, bite.is_complete
        newest = max(line.at for line in new)
        count = sum(line.at == newest for line in new)
        if newest == attempt.log_since:
            count += attempt.log_since_count
        texts = [*_marks(bite.lines, attempt), *(line.text for line in new)]
        return self.append(attempt, texts).evolve(log_since=newest, log_since_count=count), bite.is_complete

    def append(self, attempt: Attempt, texts: Sequence[str]) -> Attempt:
        log_bytes = self._workspace.append_log(attempt.job_id, texts, at_bytes=attempt.log_bytes)
        return attempt.evolve(log_bytes=log_bytes)


def _after_captured(lines: Sequence[LogLine], attempt: Attempt) -> Iterator[LogLine]:
    """Without those that the engine repeats: it begins with the lines printed at `log_since` itself."""
    captured = attempt.log_since_count
    for line in lines:
        if captured and line.at == attempt.log_since:
            captured -= 1
        else:
            yield line


def _marks(lines: Sequence[LogLine], attempt: Attempt) -> Iterator[str]:
    """What stands before the new ones of `lines`."""
    if attempt.log_since is None:
        if attempt.number > 1:
            yield f"[attempt {attempt.number}]"
    elif all(line.at != attempt.log_since for line in lines):
        yield LINES_MISSING
