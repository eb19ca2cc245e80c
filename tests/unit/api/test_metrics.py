"""What Prometheus is told: right numbers, a bounded number of series, and no ids."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.ports.record_store import EngineStatus
from tests.factories import NOW
from tests.unit.api.installation import ALICE, BOB, Install, Installation

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(lorry: Installation, path: str = "/api/metrics") -> Series:
    answer = lorry.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((name, tuple(sorted(labels.items()))))


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics", "/api/v1/metrics"])
def test_metrics_stand_where_scrapers_look_and_with_the_rest(lorry: Installation, path: str) -> None:
    assert value(scrape(lorry, path), "lorry_store_up") == 1


def test_every_state_is_counted_also_those_without_a_job(lorry: Installation) -> None:
    lorry.submit(ALICE)
    lorry.submit(BOB)
    cancelled = lorry.submit(BOB)
    lorry.client.post(f"/api/training/jobs/{cancelled}/cancel", headers=lorry.as_user(BOB))

    series = scrape(lorry)

    counts = {
        status: value(series, "lorry_jobs", status=status)
        for status in ("queued", "pending", "running", "completed", "failed", "cancelled")
    }
    assert counts == {"queued": 2, "pending": 0, "running": 0, "completed": 0, "failed": 0, "cancelled": 1}
    assert value(series, "lorry_attempts_ended", reason="killed") == 0


def test_the_queue_is_as_old_as_the_job_that_has_waited_for_longest(lorry: Installation) -> None:
    assert value(scrape(lorry), "lorry_queue_age_seconds") == 0
    lorry.submit()
    lorry.clock.advance(90)
    lorry.submit()

    assert value(scrape(lorry), "lorry_queue_age_seconds") == 90


@pytest.mark.parametrize(
    ("status", "age", "reachable"),
    [
        (None, 0, 0),
        (EngineStatus(last_pass_at=NOW), 5, 1),
        (EngineStatus(last_pass_at=NOW, unreachable_since=NOW), 5, 0),
        (EngineStatus(last_pass_at=NOW), 61, 0),
    ],
)
def test_an_engine_is_reachable_when_a_live_orchestrator_says_so(
    lorry: Installation, status: EngineStatus | None, age: float, reachable: float
) -> None:
    if status is not None:
        lorry.records.save_engine_status(status)
    lorry.clock.advance(age)

    assert value(scrape(lorry), "lorry_engine_reachable") == reachable


def test_requests_are_counted_by_route_never_by_path(lorry: Installation) -> None:
    job_id = lorry.submit()
    for path in (f"/api/training/jobs/{job_id}", f"/api/v1/training/jobs/{job_id}"):
        lorry.client.get(path, headers=lorry.as_user())
    for number in range(20):
        lorry.client.get(f"/api/no/such/{number}")
    lorry.client.request("BREW", "/api/health")

    text = lorry.client.get("/metrics").text
    series = scrape(lorry)

    one_job = "/training/jobs/{job_id}"
    assert value(series, "lorry_http_requests_total", route=one_job, method="GET", status="200") == 2
    assert value(series, "lorry_http_requests_total", route="none", method="GET", status="404") == 20
    assert value(series, "lorry_http_request_duration_seconds_count", route=one_job, method="GET") == 2
    assert "BREW" not in text
    assert job_id not in text
    assert ALICE not in text


def test_a_store_that_is_away_is_a_finding_and_not_an_error(lorry: Installation) -> None:
    with lorry.jobs._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE training_jobs RENAME TO elsewhere")

    series = scrape(lorry)

    assert value(series, "lorry_store_up") == 0
    assert value(series, "lorry_jobs", status="queued") is None
    assert (value(series, "lorry_disk_free_bytes") or 0) > 0


def test_what_an_orchestrator_in_the_same_process_measures_is_shown_along(install: Install) -> None:
    meter = PrometheusMeter()
    with meter.timed_pass():
        meter.job_started(after_seconds=1.5)
        meter.events_ingested(lag_seconds=1e9)
    lorry = install(measured=(meter.registry,))

    series = scrape(lorry)

    assert value(series, "lorry_pass_duration_seconds_count") == 1
    assert value(series, "lorry_job_start_delay_seconds_sum") == 1.5
    assert value(series, "lorry_ingestion_lag_seconds_sum") == 3600, "a trainer's clock may say anything"


def test_two_apps_in_one_process_count_for_themselves(install: Install) -> None:
    one, other = install(), install()
    one.client.get("/api/health")

    counted = {"route": "/health", "method": "GET", "status": "200"}
    assert value(scrape(one), "lorry_http_requests_total", **counted) == 1
    assert value(scrape(other), "lorry_http_requests_total", **counted) is None
