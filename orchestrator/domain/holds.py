"""What holds a waiting job, in the words of those who wait, and what would end the wait."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_BY_ITSELF = "It then starts by itself."


class Hold(NamedTuple):
    """The one rule that keeps a job from starting."""

    reason: str  # in a sentence's middle
    explanation: str  # the same as a sentence
    freed_by: str  # what would end the wait, as a sentence


ITS_TURN = Hold(
    "its turn has come: it starts in a moment",
    "Its turn has come.",
    "Nothing more is needed: it starts with the next look at the queue, in a moment.",
)


# The same few are made anew for each of ten thousand waiting jobs, so those without a job's own facts are kept.
@lru_cache(maxsize=16)
def everything_stands(problem: str) -> Hold:
    """`problem`: what keeps every job from starting, in a sentence's middle."""
    cure = f"Whoever runs this installation sees to that. {_BY_ITSELF}"
    return Hold(problem, f"No job can start: {problem}.", cure)


@lru_cache(maxsize=16)
def closed(reason: str) -> Hold:
    """`reason`: that of the maintenance, in a sentence's middle."""
    return Hold(reason, f"No job is started for now: {reason}.", f"An administrator ends the maintenance. {_BY_ITSELF}")


def tried_again(at: datetime, failure: str | None) -> Hold:
    """`failure`: why its last attempt ended, a sentence."""
    again = f"tried again at {at:%H:%M:%S} UTC"
    return Hold(
        f"{again} after: {failure}",
        f"Its last attempt failed, and it is {again}. What happened: {failure}",
        "That time comes. It then starts by itself on the next free device.",
    )


def being_prepared(reason: str) -> Hold:
    """`reason`: what it needs before it can start, and is being seen to, in a sentence's middle."""
    return Hold(reason, f"{_capitalized(reason)}.", f"All of its pictures are on this machine. {_BY_ITSELF}")


@lru_cache(maxsize=64)
def without_model(reason: str) -> Hold:
    """`reason`: what becomes of its model, in a sentence's middle."""
    explanation = reason if reason.startswith("the ") else f"it {reason}"
    return Hold(reason, _ended(_capitalized(explanation)), f"The whole model is on this machine. {_BY_ITSELF}")


@lru_cache(maxsize=64)
def too_big(wanted: int, there: int, kind: str) -> Hold:
    need = f"needs {counted(wanted, kind)}, this machine has {there}"
    cure = f"Nothing on this machine: cancel it, and submit one that asks for {counted(there, kind)} at most."
    return Hold(need, f"It {need}.", cure)


@lru_cache(maxsize=64)
def at_the_limit(limit: int) -> Hold:
    reason = f"your limit of {counted(limit, 'running job')}"
    if limit == 0:
        return Hold(reason, "Its owner may run no job for now.", f"An administrator raises that limit. {_BY_ITSELF}")
    explanation = f"Its owner's limit of {counted(limit, 'running job')} is reached."
    return Hold(reason, explanation, "One of the owner's own running jobs ends. This one then waits for a free device.")


@lru_cache(maxsize=64)
def no_device(there: int, kind: str) -> Hold:
    reason = "no GPU or CPU slot is free"
    if there == 0:
        return everything_stands("this machine shows no GPU or CPU slot")._replace(reason=reason)
    explanation = f"The only {kind} is taken." if there == 1 else f"All {counted(there, kind)} are taken."
    return Hold(reason, explanation, "A running job ends, whoever's it is, and those before this one have started.")


@lru_cache(maxsize=64)
def too_few_devices(wanted: int, free: int, kind: str) -> Hold:
    need = f"needs {counted(wanted, kind)}, {free or 'none'} {'is' if free <= 1 else 'are'} free"
    cure = f"{counted(wanted, kind)} are free at the same moment; none is kept free for it."
    return Hold(need, f"It {need}.", cure)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
