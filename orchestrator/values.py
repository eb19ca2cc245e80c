"""What settings mean to the services: values, and no adapter."""

from __future__ import annotations

import os
from datetime import timedelta

from orchestrator.domain.container import Limits
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.estimates import Tariff
from orchestrator.domain.reconciliation import Policy
from orchestrator.domain.scheduling import SchedulingPolicy
from orchestrator.services.container_settings import ContainerSettings
from orchestrator.settings import Settings

# The uid and gid of training containers when Lorry itself is root.
CONTAINER_USER = "10001:10001"


def container_user(settings: Settings) -> str:
    """uid:gid of training containers: never root."""
    if settings.container_user is not None:
        return settings.container_user
    return CONTAINER_USER if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"


def container_settings(settings: Settings) -> ContainerSettings:
    return ContainerSettings(
        instance=settings.instance,
        image=settings.image,
        user=container_user(settings),
        limits=Limits(
            memory_bytes=settings.memory_limit_bytes,
            cpus=settings.cpus,
            pids=settings.pids_limit,
            shm_bytes=settings.shm_bytes,
            tmp_bytes=settings.tmp_bytes,
            open_files=settings.open_files_limit,
            log_max_bytes=settings.log_max_bytes,
            log_max_files=settings.log_max_files,
        ),
        shared_cache_bytes=settings.shared_cache_bytes,
    )


def scheduling_policy(settings: Settings) -> SchedulingPolicy:
    return SchedulingPolicy(max_active_per_user=settings.max_active_jobs_per_user)


def tariff(settings: Settings) -> Tariff:
    return Tariff(settings.gpu_hour_price, settings.currency)


def reconciliation_policy(settings: Settings) -> Policy:
    return Policy(
        launch_grace_seconds=settings.launch_grace_seconds,
        stop_grace_seconds=settings.stop_grace_seconds,
        max_runtime_seconds=settings.max_runtime_seconds,
        stall_seconds=settings.stall_seconds,
        outputs_max_bytes=settings.outputs_max_bytes,
    )


def undo_policy(settings: Settings) -> UndoPolicy:
    return UndoPolicy(timedelta(seconds=settings.undo_delete_seconds))
