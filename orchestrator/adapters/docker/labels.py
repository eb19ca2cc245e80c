"""Labels tie a container to this installation, its job and its attempt. A container without ours is never touched."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_INSTANCE, LABEL_JOB, LABEL_SPEC, ContainerSpec


def labels_for(spec: ContainerSpec, instance: str) -> dict[str, str]:
    return {LABEL_SPEC: spec.digest, **spec.labels, LABEL_INSTANCE: instance}


def same_attempt(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether both label sets name one attempt of one job of one installation."""
    return all(found.get(label) == wanted.get(label) for label in (LABEL_INSTANCE, LABEL_JOB, LABEL_ATTEMPT))


def attempt_number(labels: Mapping[str, str]) -> int:
    """0 when the label is missing or no number: then the container belongs to no attempt we know."""
    text = labels.get(LABEL_ATTEMPT, "")
    return int(text) if text.isascii() and text.isdigit() else 0
