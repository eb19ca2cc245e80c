"""What every ExperimentStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.errors import NotFound, StaleJob
from orchestrator.ports.experiment_store import ExperimentStore
from orchestrator.ports.job_store import JobStore
from tests.contract.job_store import add
from tests.factories import NOW, make_experiment

LATER = NOW + timedelta(minutes=1)
PARAMS = {"rate": 1e-4, "steps": 500, "flip": True, "note": "گربه"}


class ExperimentStoreContract:
    @pytest.fixture
    def store(self) -> ExperimentStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def jobs(self) -> JobStore:
        """Over the same database."""
        raise NotImplementedError

    def test_an_experiment_comes_back_as_it_was_added_with_the_kinds_of_its_params(self, store):
        experiment = make_experiment(name="rates", description="which one", params=PARAMS)
        store.add(experiment)

        found = store.get(experiment.id)

        assert found == experiment
        assert {name: type(value) for name, value in found.params.items()} == {
            name: type(value) for name, value in PARAMS.items()
        }

    def test_an_unknown_experiment_is_not_found(self, store):
        for ask in (store.get, lambda unknown: store.change(unknown, {"name": "x"}, at=LATER)):
            with pytest.raises(NotFound) as refused:
                ask("unknown")
            assert refused.value.code == "EXPERIMENT_NOT_FOUND"

    def test_a_list_holds_one_users_experiments_newest_first_with_how_many_jobs_each_has(self, store, jobs):
        experiments = [make_experiment(created_at=NOW + timedelta(seconds=place)) for place in range(3)]
        for experiment in [*experiments, make_experiment(user_id="other")]:
            store.add(experiment)
        add(jobs, experiment_id=experiments[1].id)
        add(jobs, experiment_id=experiments[1].id)

        first, second = store.list("user-1", page=1, page_size=2), store.list("user-1", page=2, page_size=2)

        assert [each.id for each in first.experiments + second.experiments] == [
            each.id for each in reversed(experiments)
        ]
        assert (first.total, second.total) == (3, 3)
        assert (first.job_counts, second.job_counts) == ({experiments[1].id: 2}, {})

    def test_what_is_changed_changes_and_the_rest_stays(self, store):
        experiment = make_experiment(description="which one", params=PARAMS)
        store.add(experiment)

        renamed = store.change(experiment.id, {"name": "new"}, at=LATER)
        noted = store.change(experiment.id, {"params": {"a": 1}, "description": None}, at=LATER)

        assert renamed == replace(experiment, name="new", updated_at=LATER)
        assert noted == replace(renamed, params={"a": 1}, description=None)
        assert store.get(experiment.id) == noted

    def test_a_removed_experiment_leaves_its_jobs_behind_and_nothing_else(self, store, jobs):
        experiment = make_experiment(params=PARAMS)
        store.add(experiment)
        job = add(jobs, experiment_id=experiment.id)
        store.measure(experiment.id, job.id, {"likeness": 4})

        store.remove(experiment.id)
        store.remove(experiment.id)

        with pytest.raises(NotFound):
            store.get(experiment.id)
        assert jobs.get(job.id) == replace(job, experiment_id=None, version=job.version + 1)
        assert store.metrics(experiment.id) == {}

    def test_who_loaded_a_job_before_its_experiment_was_removed_does_not_write_it_back(self, store, jobs):
        experiment = make_experiment()
        store.add(experiment)
        job = add(jobs, experiment_id=experiment.id)
        store.remove(experiment.id)

        with pytest.raises(StaleJob):
            jobs.save(job)

    def test_a_figure_measured_again_replaces_the_earlier_one_and_none_takes_it_away(self, store, jobs):
        experiment = make_experiment()
        store.add(experiment)
        one, other = add(jobs, experiment_id=experiment.id), add(jobs, experiment_id=experiment.id)

        store.measure(experiment.id, one.id, {"likeness": 3, "speed": 1.5})
        store.measure(experiment.id, one.id, {"likeness": 4, "speed": None})
        store.measure(experiment.id, other.id, {"likeness": 5})

        assert store.metrics(experiment.id) == {one.id: {"likeness": 4.0}, other.id: {"likeness": 5.0}}
