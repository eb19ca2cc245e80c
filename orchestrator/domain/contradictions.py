"""Options that are each within their range and cannot be meant together: the trainer would refuse them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.errors import Violation
from orchestrator.domain.training import TrainingConfig, TrainingType

# Families whose prompts are read by a language model that is not trained. One that is not known here is left to the
# trainer, which looks into the model's folder.
_WITHOUT_TEXT_LORA = frozenset({"flux2-klein", "z-image"})


def contradictions(
    config: TrainingConfig,
    *,
    type: TrainingType,  # noqa: A002 - the contract's word
    family: str | None,
) -> list[Violation]:
    """Each beside its option as the client wrote it, `config.steps`. `family`: of the base model; None: not known."""
    return [*_of_the_model(config, family), *_of_the_class(config, type), *_of_the_validation(config)]


def _of_the_model(config: TrainingConfig, family: str | None) -> Iterator[Violation]:
    if config.text_encoder_lora and family in _WITHOUT_TEXT_LORA:
        message = (
            f"The text encoder of a {family} model is not trained. Leave it off, or take a Stable Diffusion 1.x or "
            "SDXL model."
        )
        yield Violation("config.text_encoder_lora", message, value=True)


def _of_the_class(config: TrainingConfig, type: TrainingType) -> Iterator[Violation]:  # noqa: A002 - the contract's word
    if not config.prior_preservation:
        return
    if type is not TrainingType.DREAMBOOTH:
        yield Violation("config.prior_preservation", "It needs type dreambooth.", value=True)
    if config.class_prompt is None:
        message = "prior_preservation needs one, for instance 'a photo of a dog'."
        yield Violation("config.class_prompt", message)


def _of_the_validation(config: TrainingConfig) -> Iterator[Violation]:
    if config.early_stopping_patience is not None and config.validation_every is None:
        message = "It needs validation_every: without validations nothing shows when to stop."
        yield Violation("config.early_stopping_patience", message, config.early_stopping_patience)
