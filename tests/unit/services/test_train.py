"""A diagnostic job's life: launched, concluded, tried again and refused where it makes no sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from orchestrator.domain.container import CONFIG_PATH, DATASET_PATH, OUTPUT_PATH
from orchestrator.domain.diagnostic import DiagnosticConfig, DiagnosticTable
from orchestrator.domain.errors import Conflict
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.services.train import Train, TrainRequest
from tests.factories import sha256_of
from tests.unit.services.world import ALICE, World

SCHEMA = Path(__file__).resolve().parents[3] / "configs" / "schemas" / "diagnostic-config.v1.json"
TABLE = DiagnosticTable("rows.csv", "x,y\n" + "1,2\n" * 20)


@pytest.fixture
def train(world: World) -> Train:
    return Train(store=world.store, jobs=world.jobs, wake_up=world.wake_up, clock=world.clock)


def start(world: World, train: Train, table: DiagnosticTable | None = None) -> str:
    """The id of a diagnostic job whose container runs."""
    request = TrainRequest(config=DiagnosticConfig(epochs=3, batch_size=4), table=table)
    job_id = train.start(ALICE, request).job.id
    world.run_once()
    assert world.is_running(job_id)
    return job_id


def test_it_is_launched_with_a_config_of_the_trainers_protocol(world: World, train: Train) -> None:
    job_id = start(world, train)
    config = world.workspace.configs[job_id]
    Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker()).validate(config)
    assert (config["type"], config["dataset_path"], config["device"]) == ("diagnostic", None, "cpu")
    assert config["training_params"] == {"epochs": 3, "batch_size": 4, "learning_rate": 0.01, "seed": 42}
    details = world.engine.details(world.container(job_id).id)
    assert details is not None
    assert [mount.target for mount in details.mounts] == [CONFIG_PATH, OUTPUT_PATH]


def test_the_rows_it_brings_are_mounted_read_only_where_its_config_says(world: World, train: Train) -> None:
    job_id = start(world, train, TABLE)
    path = f"{DATASET_PATH}/rows.csv"
    assert world.workspace.configs[job_id]["dataset_path"] == path
    details = world.engine.details(world.container(job_id).id)
    assert details is not None
    (mount,) = [mount for mount in details.mounts if mount.target == path]
    assert mount.is_read_only


def test_it_is_completed_by_the_model_it_reported(world: World, train: Train) -> None:
    job_id = start(world, train)
    data = b"pickled"
    world.workspace.write(job_id, "model.pt", data)
    world.write_event(job_id, "result", model={"path": "model.pt", "sha256": sha256_of(data), "size_bytes": len(data)})
    world.exit(job_id, 0)
    world.run_once()
    job = world.job(job_id)
    assert (job.status, job.end_reason) == (JobStatus.COMPLETED, EndReason.DIAGNOSTIC_PASSED)


def test_one_that_ran_out_of_memory_has_no_profile_to_try_again_with(world: World, train: Train) -> None:
    job_id = start(world, train)
    world.exit(job_id, 13)
    world.run_once()
    assert world.job(job_id).status is JobStatus.FAILED


def test_one_that_infrastructure_broke_is_tried_again_with_its_rows(world: World, train: Train) -> None:
    job_id = start(world, train, TABLE)
    world.engine.remove(world.container(job_id).id)
    world.run_once()
    world.run_once(after_seconds=60)
    assert world.is_running(job_id)
    assert world.workspace.configs[job_id]["dataset_path"] == f"{DATASET_PATH}/rows.csv"


def test_it_has_no_settings_of_an_adapter(world: World, train: Train) -> None:
    job = world.job(start(world, train))
    with pytest.raises(Conflict) as refused:
        _ = job.training_config
    assert refused.value.code == "NO_ADAPTER"


@pytest.mark.parametrize(("rows", "steps"), [(20, 4), (8, 1), (1, 1), (0, 1), (1_000, 225)])
def test_the_number_of_steps_follows_from_the_rows(rows: int, steps: int) -> None:
    assert DiagnosticConfig(epochs=1, batch_size=4).for_rows(rows).steps == steps
