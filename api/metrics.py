"""Metrics in the format of Prometheus: what the store says, what this process answered, what its orchestrator measured.

No label ever holds an id, and none a path: each has a handful of values, however many users, jobs and guessed URLs.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from orchestrator.ports.figure_store import Figures
from orchestrator.services.readiness import STALE_AFTER
from orchestrator.services.survey import Sight, Survey

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
_UNROUTED = "none"

# A second series for each, with the time it began: no graph needs it.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """`others` are registries that are shown along: the meter's, when the orchestrator runs in this process."""

    def __init__(self, survey: Survey, *, others: tuple[Collector, ...] = ()) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_StoreCollector(survey))
        for other in others:
            self.registry.register(other)
        self._requests = Counter(
            "lorry_http_requests",
            "Requests answered; a status of 0 is a client that left before.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._durations = Histogram(
            "lorry_http_request_duration_seconds",
            "From a request's first byte to its answer's last.",
            ("route", "method"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )

    def count_request(self, scope: Scope, *, status: int | None, seconds: float) -> None:
        """`scope` after it was routed."""
        route = getattr(scope.get("route"), "path", _UNROUTED)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(route, method, str(status or 0)).inc()
        if not scope.get("state", {}).get("is_stream", False):  # whose end says nothing about how quick an answer was
            self._durations.labels(route, method).observe(seconds)

    def render(self) -> bytes:
        return generate_latest(self.registry)


class _StoreCollector(Collector):
    """Asks when it is asked, so that nothing has to be kept up to date and several processes say the same."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def describe(self) -> list[Metric]:
        """Names are not looked up by collecting: the store may be away when the app is built."""
        return []

    def collect(self) -> Iterator[Metric]:
        sight = self._survey.look()
        yield _gauge("lorry_disk_free_bytes", "Free space in the data directory.", sight.free_bytes)
        yield _gauge("lorry_store_up", "Whether the job store answers.", sight.figures is not None)
        if sight.figures is not None:
            yield from _of_figures(sight.figures)
            yield from _of_orchestrator(sight)


def _of_figures(figures: Figures) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("lorry_jobs", "Jobs in the store, by state.", labels=["status"])
    for status, count in figures.jobs.items():
        jobs.add_metric([status], count)
    yield jobs
    ended = GaugeMetricFamily("lorry_attempts_ended", "Ended attempts in the store, by reason.", labels=["reason"])
    for reason, count in figures.ended_attempts.items():
        ended.add_metric([reason], count)
    yield ended
    yield _gauge("lorry_retries", "Attempts that made up for ones infrastructure broke.", figures.retries)
    yield _gauge(
        "lorry_suspect_devices", "Devices that failed a job and have completed none since.", figures.suspect_devices
    )


def _of_orchestrator(sight: Sight) -> Iterator[Metric]:
    yield _gauge("lorry_queue_age_seconds", "How long the oldest queued job has waited.", sight.queue_age_seconds)
    status, age = sight.engine_status, sight.pass_age_seconds
    if status is None or age is None:
        yield _gauge("lorry_engine_reachable", _ENGINE_REACHABLE, 0)
        return
    is_fresh = age <= STALE_AFTER.total_seconds()
    yield _gauge("lorry_engine_reachable", _ENGINE_REACHABLE, is_fresh and status.unreachable_since is None)
    yield _gauge("lorry_last_pass_age_seconds", "How long ago the orchestrator last reported a pass.", age)


_ENGINE_REACHABLE = "Whether the Docker Engine answers a live orchestrator."


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=float(value))
