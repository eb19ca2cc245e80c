"""What a run must not forget: adapter, optimizer, early stopping. Saved and resumed as one."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lora_trainer.adapter import restore, snapshot
from lora_trainer.checkpoint import Checkpoint, CheckpointFolder
from lora_trainer.evaluate import EarlyStopping
from lora_trainer.events import EventLog
from lora_trainer.step import Stepper, StepResult
from lora_trainer.stop import StopRequest

MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's two running averages


class TrainingState:
    def __init__(self, stepper: Stepper, early_stopping: EarlyStopping) -> None:
        self.step = 0
        self.early_stopping = early_stopping
        self._stepper = stepper

    def note_validation(self, loss: float) -> None:
        self.early_stopping.note(loss, lambda: snapshot(self._stepper.parameters))

    def keep_best(self) -> None:
        """With early stopping, the adapter of the best validation is the one that counts."""
        if self.early_stopping.best:
            restore(self._stepper.parameters, self.early_stopping.best)

    def tensors(self) -> dict[str, Tensor]:
        optimizer = self._stepper.optimizer
        packed = {f"best/{name}": tensor for name, tensor in self.early_stopping.best.items()}
        for name, parameter in self._stepper.parameters.items():
            packed[f"adapter/{name}"] = parameter.detach()
            for moment in MOMENTS:
                packed[f"{moment}/{name}"] = optimizer.state[parameter][moment]
        return packed

    def resume(self, checkpoint: Checkpoint) -> None:
        self.step = checkpoint.step
        self.early_stopping.resume(checkpoint.facts, _unpacked(checkpoint.tensors, "best"))
        restore(self._stepper.parameters, _unpacked(checkpoint.tensors, "adapter"))
        moments = {moment: _unpacked(checkpoint.tensors, moment) for moment in MOMENTS}
        for name, parameter in self._stepper.parameters.items():
            device = parameter.device
            self._stepper.optimizer.state[parameter] = {
                # AdamW counts its steps as a float32 tensor beside each parameter.
                "step": torch.tensor(float(checkpoint.step), device=device),
                **{moment: tensors[name].to(device) for moment, tensors in moments.items()},
            }


class Checkpointer:
    """Callback: saves every so many steps, at the end, and when a stop is requested; then it passes the request on."""

    def __init__(
        self,
        state: TrainingState,
        folder: CheckpointFolder,
        events: EventLog,
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
            path = self._folder.save(step, self._state.tensors(), self._state.early_stopping.facts())
            self._events.emit("checkpoint", step=step, path=f"{path.parent.name}/{path.name}")
        self._stop.raise_if_made(f"at step {step} of {self._steps}; a checkpoint is saved")


def _unpacked(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }
