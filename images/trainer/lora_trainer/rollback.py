"""A loss that stops being a number gets one second chance: from the last good checkpoint, half as fast."""

from collections.abc import Callable

from lora_trainer.checkpoint import CheckpointFolder
from lora_trainer.errors import NotFinite
from lora_trainer.events import Events
from lora_trainer.state import TrainingState

SLOWER = 0.5


def train_with_a_second_chance(
    attempt: Callable[[], None],
    state: TrainingState,
    folder: CheckpointFolder,
    events: Events,
    *,
    start_over: Callable[[], None],
) -> None:
    """`attempt` goes on after `state.step`; `start_over` puts the weights back to their beginning.

    Raises NotFinite where it happens again, in this attempt of the job or in a later one.
    """
    try:
        attempt()
    except NotFinite as error:
        if state.rate_factor < 1:
            raise NotFinite(f"{error}; the learning rate was halved before, and that did not suffice") from error
        _roll_back(state, folder, start_over)
        message = f"{error}: going on after step {state.step} with half the learning rate"
        print(f"warning: {message}", flush=True)
        events.emit("warning", message=message)
        train_with_a_second_chance(attempt, state, folder, events, start_over=start_over)


def _roll_back(state: TrainingState, folder: CheckpointFolder, start_over: Callable[[], None]) -> None:
    checkpoint = folder.find(None)
    if checkpoint:
        state.resume(checkpoint)
    else:
        start_over()
        state.restart()
    state.rate_factor = SLOWER
    # Saved again at once: an attempt that is resumed from here must know that its chance is spent.
    folder.save(state.step, state.tensors(), state.facts())
