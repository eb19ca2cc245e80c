"""What a run must not forget: adapter, optimizer, averages, early stopping. Saved and resumed as one."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lora_trainer.checkpoint import Checkpoint, CheckpointFolder
from lora_trainer.evaluate import EarlyStopping
from lora_trainer.events import Events
from lora_trainer.step import Stepper, StepResult
from lora_trainer.stop import StopRequest
from lora_trainer.updater import load

AVERAGE = "average"


class TrainingState:
    def __init__(self, stepper: Stepper, early_stopping: EarlyStopping) -> None:
        self.step = 0
        self.early_stopping = early_stopping
        self._stepper = stepper

    @property
    def rate_factor(self) -> float:
        return self._stepper.rate_factor

    @rate_factor.setter
    def rate_factor(self, factor: float) -> None:
        self._stepper.rate_factor = factor

    def note_validation(self, loss: float) -> None:
        self.early_stopping.note(loss, self._stepper.weights.snapshot)

    @torch.no_grad()
    def settle(self) -> None:
        """Give the network the weights that count: the best validation's, with early stopping, or their average."""
        weights, average = self._stepper.weights, self._stepper.average
        if self.early_stopping.best:
            weights.restore(self.early_stopping.best)
        elif average is not None:
            weights.row.copy_(average)
            weights.refresh()

    def facts(self) -> dict[str, Any]:
        return self.early_stopping.facts() | {"rate_factor": self.rate_factor}

    def tensors(self) -> dict[str, Tensor]:
        stepper = self._stepper
        packed = {f"best/{name}": tensor for name, tensor in self.early_stopping.best.items()}
        packed |= {f"adapter/{name}": master.detach() for name, master in stepper.weights.masters.items()}
        packed |= {f"optimizer/{name}": tensor for name, tensor in stepper.updater.state.items()}
        return packed if stepper.average is None else packed | {AVERAGE: stepper.average}

    def resume(self, checkpoint: Checkpoint) -> None:
        stepper = self._stepper
        self.step = checkpoint.step
        self.rate_factor = checkpoint.facts["rate_factor"]
        self.early_stopping.resume(checkpoint.facts, _unpacked(checkpoint.tensors, "best"))
        stepper.weights.restore(_unpacked(checkpoint.tensors, "adapter"))
        load(stepper.updater, _unpacked(checkpoint.tensors, "optimizer"))
        if stepper.average is not None:
            stepper.average.copy_(checkpoint.tensors[AVERAGE])

    def restart(self) -> None:
        """Step 0, at the weights as they are."""
        self.step = 0
        self.early_stopping.restart()
        self._stepper.reset()


class Checkpointer:
    """Callback: saves every so many steps, at the end, and when a stop is requested; then it passes the request on."""

    def __init__(
        self,
        state: TrainingState,
        folder: CheckpointFolder,
        events: Events,
        stop: StopRequest,
        *,
        every: int,
        steps: int,
        require_finite: Callable[[int], None],
    ) -> None:
        self._state = state
        self._folder = folder
        self._events = events
        self._stop = stop
        self._every = every
        self._steps = steps
        self._require_finite = require_finite

    def __call__(self, step: int, _result: StepResult) -> None:
        self._state.step = step
        is_last = step == self._steps or self._state.early_stopping.is_over()
        if is_last or self._stop.is_made or step % self._every == 0:
            self._require_finite(step)
            path = self._folder.save(step, self._state.tensors(), self._state.facts())
            self._events.emit("checkpoint", step=step, path=f"{path.parent.name}/{path.name}")
            # Here, not below: a request that comes a moment later is for the next step, which then has its checkpoint.
            self._stop.raise_if_made(f"at step {step} of {self._steps}; a checkpoint is saved")


def _unpacked(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }
