"""Several processes that train one adapter together, one on each GPU of the job (data parallel, arXiv:2006.15704).

The leader runs the job as if it were alone, and says before each step what is next; the followers take the same step
with other pictures, and the gradients are averaged in between. Weights stay equal because every update is.
"""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from accelerate import PartialState
from torch import Tensor

from lora_trainer.errors import GpuFailed

# Longer than any step; a process that is lost in the middle of one ends the others with an error after it.
STEP_TIMEOUT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """Take this step."""

    number: int
    rate_factor: float


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Receive what the leader's run has come to: it begins, or goes on from another place."""


Command = Step | TakeOver
Follow = Callable[["Seat", Iterator[Command]], None]


@dataclass(frozen=True, slots=True)
class Seat:
    """A process's place in its team."""

    rank: int
    size: int
    port: int
    device: str


@dataclass(frozen=True, slots=True)
class Follower:
    process: BaseProcess
    commands: Connection


@dataclass(frozen=True, slots=True)
class Team:
    """What a process knows of the others. Alone, everything here does nothing."""

    rank: int = 0
    size: int = 1
    followers: Sequence[Follower] = field(default=())

    def tell(self, command: Command) -> None:
        """Raises GpuFailed for a follower that is gone: waiting for its gradients would take minutes."""
        for follower in self.followers:
            if not follower.process.is_alive():
                raise GpuFailed(f"the process on one of the job's {self.size} GPUs ended; the log above says why")
            follower.commands.send(command)

    def average(self, tensor: Tensor) -> None:
        """In place, over all processes."""
        if self.size > 1:
            torch.distributed.all_reduce(tensor)
            tensor.div_(self.size)

    def hand_over(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the leader's values, in place."""
        if self.size > 1:
            for tensor in tensors:
                torch.distributed.broadcast(tensor, src=0)


ALONE = Team()


@contextmanager
def gathered(device: torch.device, follow: Follow) -> Iterator[Team]:
    """Within, a team with a process for each GPU that is visible; `follow` is what the other processes run."""
    size = process_count(device)
    if size == 1:
        yield ALONE
        return
    port = _free_port()
    followers = [_start(follow, Seat(rank, size, port, device.type)) for rank in range(1, size)]
    try:
        with joined(Seat(0, size, port, device.type)):
            print(f"training on {size} devices together", flush=True)
            yield Team(0, size, followers)
    finally:
        for follower in followers:
            follower.commands.close()  # the end of the commands is the end of the follower
            follower.process.kill()
            follower.process.join()


def process_count(device: torch.device) -> int:
    return torch.cuda.device_count() if device.type == "cuda" else 1


@contextmanager
def joined(seat: Seat) -> Iterator[Team]:
    """Within, this process is one of the team and has its own GPU as the current one."""
    places = {"RANK": seat.rank, "LOCAL_RANK": seat.rank, "WORLD_SIZE": seat.size, "LOCAL_WORLD_SIZE": seat.size}
    os.environ.update({name: str(value) for name, value in places.items()})
    # A container without a network has its own loopback, and nothing else that a library could pick.
    os.environ.update(
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(seat.port), GLOO_SOCKET_IFNAME="lo", NCCL_SOCKET_IFNAME="lo"
    )
    PartialState(cpu=seat.device == "cpu", timeout=STEP_TIMEOUT)
    try:
        yield Team(seat.rank, seat.size)
    finally:
        torch.distributed.destroy_process_group()


def _received(commands: Connection) -> Iterator[Command]:
    """Until the leader has no more, or is gone."""
    while True:
        try:
            command: Command = commands.recv()
        except (EOFError, OSError):
            return
        yield command


def _start(follow: Follow, seat: Seat) -> Follower:
    context = multiprocessing.get_context("spawn")  # a fork would share the parent's GPU
    theirs, ours = context.Pipe(duplex=False)
    process = context.Process(target=_follow_quietly, args=(follow, seat, theirs), daemon=True)
    process.start()
    theirs.close()
    return Follower(process, ours)


def _follow_quietly(follow: Follow, seat: Seat, commands: Connection) -> None:
    """The log is the leader's, and so is a request to stop; what goes wrong here is still told, on stderr."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        follow(seat, _received(commands))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
