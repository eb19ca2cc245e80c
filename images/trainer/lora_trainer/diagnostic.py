"""The diagnostic job: a real regression, small enough to end in seconds, that reports and stops as every job does."""

import hashlib
import io
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from lora_trainer.checkpoint import sha256_of
from lora_trainer.config import DiagnosticConfig
from lora_trainer.device import pick_device
from lora_trainer.errors import ADVICE, NotFinite
from lora_trainer.evaluate import Validator
from lora_trainer.events import EventLog
from lora_trainer.files import writing
from lora_trainer.loop import Reporter, train
from lora_trainer.objective import generator
from lora_trainer.order import Order
from lora_trainer.step import MAX_GRADIENT_NORM, StepResult
from lora_trainer.stop import StopRequest
from lora_trainer.table import Table

MADE_UP_ROWS = 256
MADE_UP_COLUMNS = 4
HELD_OUT_SHARE = 0.1
WIDTH = 32  # of the hidden layer
CHECKPOINTS = 10  # in a run
CHECKPOINT = "checkpoint.pt"
MODEL = "model.pt"


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows, each column with mean 0 and deviation 1 over the rows trained on."""

    features: Tensor  # (n, columns)
    wanted: Tensor  # (n, 1)

    def __len__(self) -> int:
        return len(self.wanted)


def train_diagnostic(config: DiagnosticConfig, table: Table | None, events: EventLog, stop: StopRequest) -> None:
    params, outputs = config.training_params, Path(config.output_path)
    torch.set_num_threads(1)  # for matrices this small a second thread is one more to wait for
    device = pick_device(config.device)
    print(f"diagnostic job on {device}: {table.name if table else 'made-up rows'}", flush=True)
    events.emit("phase", phase="preprocess")
    rows, held_out = prepare(torch.tensor(table.rows) if table else made_up(params.seed), params.seed, device)
    learner = Learner(rows, config)
    eval_loss_before = learner.measure(held_out)
    events.emit("phase", phase="train")
    steps = max(1, params.epochs * len(rows) // params.batch_size)
    checkpoint = Checkpoint(learner, outputs / CHECKPOINT, events, stop, identity=_identity(config, table), steps=steps)
    _take_steps(learner, checkpoint, held_out, events, steps=steps, epochs=params.epochs)
    events.emit("phase", phase="evaluate")
    eval_loss_after = learner.measure(held_out)
    events.emit("phase", phase="register")
    model = outputs / MODEL
    _save(model, {"columns": table.columns if table else None, "network": learner.network.state_dict()})
    events.emit(
        "result",
        model={"path": MODEL, "sha256": sha256_of(model), "size_bytes": model.stat().st_size},
        steps=steps,
        train_count=len(rows),
        val_count=len(held_out),
        eval_loss_before=eval_loss_before,
        eval_loss_after=eval_loss_after,
    )
    print(f"held-out loss: {eval_loss_before:.5f} before, {eval_loss_after:.5f} after", flush=True)


def _take_steps(
    learner: "Learner", checkpoint: "Checkpoint", held_out: Rows, events: EventLog, *, steps: int, epochs: int
) -> None:
    done = checkpoint.resume()
    validator = Validator(lambda: learner.measure(held_out), max(1, steps // epochs), lambda _loss: None)
    reporter = Reporter(
        events,
        done=done,
        steps=steps,
        samples_a_step=learner.batch_size,
        train_count=len(learner.rows),
        val_count=len(held_out),
        val_loss_at=validator.val_loss_at,
    )
    train(learner, done=done, steps=steps, callbacks=[validator, reporter, checkpoint], is_over=lambda: False)


def made_up(seed: int) -> Tensor:
    """(rows, columns): a curve through random points with a little noise, which a small network can learn."""
    source = generator(seed, "rows")
    features = torch.randn(MADE_UP_ROWS, MADE_UP_COLUMNS, generator=source)
    weights = torch.randn(MADE_UP_COLUMNS, 1, generator=source)
    noise = 0.05 * torch.randn(MADE_UP_ROWS, 1, generator=source)
    return torch.cat([features, (features @ weights).sin() + noise], dim=1)


def prepare(values: Tensor, seed: int, device: torch.device) -> tuple[Rows, Rows]:
    """(trained on, held out), the last column split off as what is wanted."""
    order = torch.randperm(len(values), generator=generator(seed, "split"))
    held_out = max(1, int(len(values) * HELD_OUT_SHARE))
    mine = values[order[held_out:]]
    scaled = ((values - mine.mean(0)) / mine.std(0).clamp(min=1e-6)).to(device)

    def rows(chosen: Tensor) -> Rows:
        return Rows(scaled[chosen, :-1], scaled[chosen, -1:])

    return rows(order[held_out:]), rows(order[:held_out])


class Learner:
    """Called with a step's number it takes that step."""

    def __init__(self, rows: Rows, config: DiagnosticConfig) -> None:
        params = config.training_params
        torch.manual_seed(params.seed)
        hidden = nn.Linear(rows.features.shape[1], WIDTH)
        self.network = nn.Sequential(hidden, nn.Tanh(), nn.Linear(WIDTH, 1)).to(rows.features.device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=params.learning_rate)
        self.rows = rows
        self.batch_size = params.batch_size
        self._rate = params.learning_rate
        self._order = Order(params.seed, "rows", (len(rows),), params.batch_size)

    def __call__(self, step: int) -> StepResult:
        _, chosen = self._order.at(step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self.rows.features[chosen], self.rows.wanted[chosen])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(list(self.network.parameters()), MAX_GRADIENT_NORM)
        self.optimizer.step()
        return StepResult(loss=loss.detach(), gradient_norm=norm, learning_rate=self._rate)

    @torch.no_grad()
    def measure(self, rows: Rows) -> float:
        """Mean squared error on `rows`. Raises NotFinite."""
        loss = float(self._loss(rows.features, rows.wanted))
        if not math.isfinite(loss):
            raise NotFinite(f"the held-out loss is not finite; {ADVICE}")
        return loss

    def _loss(self, features: Tensor, wanted: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.network(features), wanted)


class Checkpoint:
    """Callback: one file, replaced ten times in a run and when a stop is requested."""

    def __init__(
        self, learner: Learner, path: Path, events: EventLog, stop: StopRequest, *, identity: str, steps: int
    ) -> None:
        self._learner = learner
        self._path = path
        self._events = events
        self._stop = stop
        self._identity = identity
        self._every = max(1, steps // CHECKPOINTS)

    def __call__(self, step: int, _result: StepResult) -> None:
        if self._stop.is_made or step % self._every == 0:
            network, optimizer = self._learner.network.state_dict(), self._learner.optimizer.state_dict()
            facts = {"identity": self._identity, "step": step}
            _save(self._path, facts | {"network": network, "optimizer": optimizer})
            self._events.emit("checkpoint", step=step, path=self._path.name)
            # Here, not below: a request that comes a moment later is for the next step, which then has its checkpoint.
            self._stop.raise_if_made(f"at step {step}; a checkpoint is saved")

    def resume(self) -> int:
        """The last step already taken; 0 without a whole checkpoint of the same data and settings."""
        try:
            state = torch.load(self._path, weights_only=True)
        except (OSError, EOFError, RuntimeError, UnpicklingError):
            return 0
        if state["identity"] != self._identity:
            return 0
        self._learner.network.load_state_dict(state["network"])
        self._learner.optimizer.load_state_dict(state["optimizer"])
        print(f"resuming after step {state['step']}", flush=True)
        return int(state["step"])


def _save(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    staging = path.with_suffix(".staging")
    with writing(path):
        staging.write_bytes(buffer.getvalue())
    staging.replace(path)


def _identity(config: DiagnosticConfig, table: Table | None) -> str:
    facts = [asdict(config.training_params), table.rows if table else None]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
