"""The training loop, and the callbacks that watch it. Only the stepper changes the model."""

import time
from collections.abc import Callable, Sequence

import torch

from lora_trainer.errors import ADVICE, NotFinite
from lora_trainer.events import Events
from lora_trainer.step import StepResult

SECONDS_BETWEEN_REPORTS = 0.3

Callback = Callable[[int, StepResult], None]


def train(
    take_step: Callable[[int], StepResult],
    *,
    done: int,
    steps: int,
    callbacks: Sequence[Callback],
    is_over: Callable[[], bool],
) -> int:
    """Go on after step `done`; returns the last step taken."""
    step = done
    while step < steps and not is_over():
        step += 1
        result = take_step(step)
        for callback in callbacks:
            callback(step, result)
    return step


class Reporter:
    """Writes metrics and progress a few times a second; always for the first and last step and with a val_loss."""

    def __init__(
        self,
        events: Events,
        *,
        done: int,
        steps: int,
        samples_a_step: int,
        train_count: int,
        val_count: int,
        val_loss_at: Callable[[int], float | None],
    ) -> None:
        self._events = events
        self._done = done
        self._steps = steps
        self._samples_a_step = samples_a_step
        self._counts = {"train_count": train_count, "val_count": val_count}
        self._val_loss_at = val_loss_at
        self._loss_sum = torch.tensor(0.0)
        self._norm_sum = torch.tensor(0.0)
        self._reported_step = done
        self._started_at = self._reported_at = time.monotonic()

    def __call__(self, step: int, result: StepResult) -> None:
        # A sum stays NaN or infinite once one value was, so no step goes unchecked between two reports.
        self._loss_sum = self._loss_sum.to(result.loss.device) + result.loss
        self._norm_sum = self._norm_sum.to(result.loss.device) + result.gradient_norm
        val_loss = self._val_loss_at(step)
        is_due = time.monotonic() - self._reported_at >= SECONDS_BETWEEN_REPORTS
        if is_due or val_loss is not None or step in (self._done + 1, self._steps):
            self._report(step, result, val_loss)

    def require_finite(self, step: int) -> None:
        for name, total in (("loss", self._loss_sum), ("gradient", self._norm_sum)):
            if not torch.isfinite(total):
                raise NotFinite(f"the {name} is not finite at step {step}; {ADVICE}")

    def _report(self, step: int, result: StepResult, val_loss: float | None) -> None:
        self.require_finite(step)
        now = time.monotonic()
        taken = step - self._reported_step
        loss = float(self._loss_sum) / taken
        throughput = taken * self._samples_a_step / max(now - self._reported_at, 1e-6)
        memory = torch.cuda.max_memory_allocated() if result.loss.is_cuda else None
        optional = {"val_loss": val_loss, "gpu_memory_bytes": memory}
        self._events.emit(
            "metrics",
            step=step,
            epoch=self._epoch(step),
            loss=loss,
            learning_rate=float(result.learning_rate),
            throughput=throughput,
            grad_norm=float(result.gradient_norm),
            **{name: value for name, value in optional.items() if value is not None},
        )
        self._report_progress(step, now)
        print(f"step {step}/{self._steps}  loss {loss:.4f}  {throughput:.1f} samples/s", flush=True)
        self._loss_sum.zero_()
        self._reported_step, self._reported_at = step, now

    def _report_progress(self, step: int, now: float) -> None:
        seconds_a_step = (now - self._started_at) / (step - self._done)
        self._events.emit(
            "progress",
            step=step,
            total_steps=self._steps,
            epoch=self._epoch(step),
            total_epochs=self._epoch(self._steps),
            progress=round(100 * step / self._steps, 2),
            eta_seconds=round(seconds_a_step * (self._steps - step), 1),
            **self._counts,
        )

    def _epoch(self, step: int) -> int:
        """The epoch of the step's last sample, from 1."""
        return (step * self._samples_a_step - 1) // self._counts["train_count"] + 1
