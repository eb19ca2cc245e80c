"""A whole step as one CUDA graph: launched at once instead of by thousands of calls, which at batch 1 take longer than
the GPU's own work. Where it cannot be recorded the step runs call by call; no job fails for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

# Libraries pick algorithms and reserve memory in their first calls, which must not happen while recording.
STEPS_BEFORE_RECORDING = 3

Inputs = list[dict[str, Tensor]]  # everything that a step reads and that differs from step to step
Outputs = tuple[Tensor, Tensor]
Compute = Callable[[Inputs], Outputs]


@dataclass(frozen=True, slots=True)
class Recording:
    """`replay` repeats the work on the same addresses: it reads `inputs` and leaves the results in `outputs`."""

    inputs: Inputs
    outputs: Outputs
    replay: Callable[[], None]

    def __call__(self, inputs: Inputs) -> Outputs:
        for own, new in zip(self.inputs, inputs, strict=True):
            for name, tensor in own.items():
                tensor.copy_(new[name], non_blocking=True)
        self.replay()
        loss, norm = (output.clone() for output in self.outputs)
        return loss, norm


class Recorder(Protocol):
    def warm_up(self, work: Callable[[], Outputs]) -> Outputs:
        """Do the work as it will be recorded."""

    def record(self, work: Callable[[], Outputs]) -> tuple[Outputs, Callable[[], None]]:
        """(where results will lie, how to do the work): note the work down without doing it."""


class CudaRecorder:
    def __init__(self) -> None:
        # One pool of memory for the graphs of all shapes: they run one at a time, and nothing that lies in it is read
        # after the next one has begun.
        self._pool: Any = torch.cuda.graph_pool_handle()

    def warm_up(self, work: Callable[[], Outputs]) -> Outputs:
        """On a side stream, as a recording is; torch asks for it before a backward pass is recorded."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            outputs = work()
        torch.cuda.current_stream().wait_stream(stream)
        return outputs

    def record(self, work: Callable[[], Outputs]) -> tuple[Outputs, Callable[[], None]]:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            outputs = work()
        return outputs, graph.replay


@dataclass(slots=True)
class Replayed:
    """Computes steps; from the fourth of each shape on by a recording of it. Without a recorder always directly."""

    compute: Compute
    recorder: Recorder | None
    _seen: dict[object, int] = field(default_factory=dict)
    _recordings: dict[object, Recording] = field(default_factory=dict)

    def __call__(self, inputs: Inputs) -> Outputs:
        if self.recorder is None:
            return self.compute(inputs)
        shape = tuple((name, tensor.shape) for part in inputs for name, tensor in part.items())
        seen = self._seen[shape] = self._seen.get(shape, 0) + 1
        if seen <= STEPS_BEFORE_RECORDING:
            return self.recorder.warm_up(lambda: self.compute(inputs))
        try:
            if shape not in self._recordings:
                self._recordings[shape] = _record(self.recorder, self.compute, inputs)
            return self._recordings[shape](inputs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the step can still be computed without a graph
            print(f"no CUDA graph, going on without: {type(error).__name__}: {_first_line(error)}", flush=True)
            self.recorder = None
            self._recordings.clear()
        return self.compute(inputs)


def _record(recorder: Recorder, compute: Compute, inputs: Inputs) -> Recording:
    own = [{name: tensor.clone() for name, tensor in part.items()} for part in inputs]
    outputs, replay = recorder.record(lambda: compute(own))
    return Recording(own, outputs, replay)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def recorder_for(device: torch.device) -> Recorder | None:
    return CudaRecorder() if device.type == "cuda" else None
