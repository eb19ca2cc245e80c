"""A process of a team, and one without."""

from __future__ import annotations

import multiprocessing

import pytest
import torch

from lora_trainer.errors import GpuFailed
from lora_trainer.team import ALONE, Follower, Step, TakeOver, Team, gathered

pytestmark = pytest.mark.trainer


def test_alone_nothing_is_told_averaged_or_handed_over():
    values = torch.tensor([1.0, 2.0])

    with gathered(torch.device("cpu"), lambda *_: pytest.fail("nobody follows")) as team:
        team.tell(TakeOver())
        team.average(values)
        team.hand_over([values])

    assert team is ALONE
    assert values.tolist() == [1.0, 2.0]


def test_a_follower_that_is_gone_ends_the_run_with_a_sentence():
    theirs, ours = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start()
    process.join()

    with theirs, ours, pytest.raises(GpuFailed, match="one of the job's 2 GPUs ended"):
        Team(0, 2, [Follower(process, ours)]).tell(Step(1, 1.0))
