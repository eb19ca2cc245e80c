"""Meter over prometheus_client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from prometheus_client import CollectorRegistry, Histogram, start_http_server

from orchestrator.domain.errors import PortError

_PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_START_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
_LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
# The trainer's clock is the trainer's word: a wrong one must not spoil the sum for everybody.
_LONGEST_LAG_SECONDS = 3_600.0


class PrometheusMeter:
    """`registry` holds what was measured."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._passes = Histogram(
            "lorry_pass_duration_seconds",
            "One pass of the reconciler.",
            buckets=_PASS_SECONDS,
            registry=self.registry,
        )
        self._starts = Histogram(
            "lorry_job_start_delay_seconds",
            "From a stored submission to its first container's start, waiting in the queue included.",
            buckets=_START_SECONDS,
            registry=self.registry,
        )
        self._lags = Histogram(
            "lorry_ingestion_lag_seconds",
            "From the trainer's writing of an event to its row in the store.",
            buckets=_LAG_SECONDS,
            registry=self.registry,
        )

    def timed_pass(self) -> AbstractContextManager[None]:
        return self._passes.time()

    def job_started(self, *, after_seconds: float) -> None:
        self._starts.observe(max(0.0, after_seconds))

    def events_ingested(self, *, lag_seconds: float) -> None:
        self._lags.observe(min(max(0.0, lag_seconds), _LONGEST_LAG_SECONDS))

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[None]:
        """Answers GET /metrics on `port` meanwhile; nobody does on port 0. Raises PortError when it is taken."""
        if not port:
            yield
            return
        try:
            server, thread = start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            message = f"Metrics cannot be shown at {host}:{port}: {error.strerror}. Change LORRY_METRICS_PORT."
            raise PortError(message) from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
