"""Measurements for Prometheus, in registries of their own: the library's global one is shared by whole processes."""

from prometheus_client import disable_created_metrics

from orchestrator.adapters.prometheus.meter import PrometheusMeter

# A second series for each, with the time it began: no graph needs it.
disable_created_metrics()  # type: ignore[no-untyped-call]

__all__ = ["PrometheusMeter"]
