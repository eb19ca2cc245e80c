"""A job that goes on where another ended: how many steps it takes, and what is to be said of it. Pure."""

from __future__ import annotations

from orchestrator.domain.errors import Rejected, Violation
from orchestrator.domain.job import Job
from orchestrator.domain.training import options


def steps_of(original: Job, *, after: int, wanted: int | None) -> int:
    """Steps in all, those up to the checkpoint included. Unless somebody said: what the original was to take, or as
    many again where its checkpoint is of its last one.

    Raises Rejected (NOTHING_TO_CONTINUE) when none would be left to take.
    """
    asked, most = original.config.steps, int(options()["steps"][1].maximum or 0)
    steps = wanted or (asked if asked > after else min(after + asked, most))
    if steps <= after:
        message = f"Its checkpoint is of step {after:,}, so it must take more than that in all, and at most {most:,}."
        raise Rejected(message, code="NOTHING_TO_CONTINUE", details=[Violation("steps", message, steps)])
    return steps


def remarks_on(original: Job, *, after: int, steps: int) -> list[str]:
    """What is different from a job that takes as many steps from its own start, in sentences for people."""
    config, remarks = original.training_config, []
    if config.lr_scheduler == "cosine" and steps != config.steps:
        remarks.append(
            f"The cosine of the learning rate is stretched over {steps:,} steps: after step {after:,} the rate is "
            f"another than it was on the way to step {config.steps:,}."
        )
    if config.early_stopping_patience is not None:
        remarks.append("Its patience counts anew from here; the best weights so far stay those to beat.")
    return remarks or [f"It ends as a job of {steps:,} steps would that was never interrupted."]
