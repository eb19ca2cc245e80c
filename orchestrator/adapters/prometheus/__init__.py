"""Measurements for Prometheus, in registries of their own: the library's global one is shared by whole processes."""

from orchestrator.adapters.prometheus.meter import PrometheusMeter

__all__ = ["PrometheusMeter"]
