"""Built-in models: the first one is there before anybody asks, the others when a job does."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import ManualClock, MemoryContainerRuntime, MemoryModelStore, Program
from orchestrator.domain.model import ModelSource
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.container_settings import ContainerSettings
from tests.factories import make_limits, make_model

LOCAL = make_model(id="local/mine", source=ModelSource.LOCAL)
FIRST = make_model(id="lorry/first")
SECOND = make_model(id="lorry/second")


@pytest.fixture
def store():
    return MemoryModelStore([LOCAL, FIRST, SECOND])


@pytest.fixture
def models(store):
    settings = ContainerSettings(instance="test", image="training-image", user="10001:10001", limits=make_limits())
    engine = MemoryContainerRuntime(clock=ManualClock(), program=lambda _: Program(exit_code=0))
    return BuiltinModels(store=store, runtime=engine, settings=settings)


def test_only_the_first_builtin_model_is_made_ahead(models, store):
    models.prepare()

    assert [store.is_ready(entry) for entry in (LOCAL, FIRST, SECOND)] == [False, True, False]


def test_another_builtin_model_is_made_when_a_job_asks_for_it(models, store):
    assert models.ready_entry(SECOND.id) == SECOND

    assert [store.is_ready(entry) for entry in (LOCAL, FIRST, SECOND)] == [False, False, True]
