"""The fixed, hardened shape of every training container. What may differ is in ContainerSpec, nothing else."""

from __future__ import annotations

from typing import Any

from docker import APIClient
from docker.types import DeviceRequest, LogConfig, Mount, Ulimit

from orchestrator.domain.container import WORKSPACE, ContainerSpec, Limits

ALL_GPUS = ("all",)

# Offline and quiet: the container has no network, and its only writable places are /tmp and the outputs.
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the container's own tmpfs
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}
_NANO = 1_000_000_000
# Under memory pressure the kernel takes a training process before anything else on the host.
_OOM_SCORE_ADJUSTMENT = 500


def container_arguments(client: APIClient, spec: ContainerSpec, labels: dict[str, str]) -> dict[str, Any]:
    """Keyword arguments of `APIClient.create_container`."""
    return {
        "image": spec.image,
        "command": list(spec.command),
        "name": spec.name,
        "user": spec.user,
        "working_dir": WORKSPACE,
        "environment": _environment(spec),
        "labels": labels,
        "stop_signal": "SIGTERM",
        "host_config": client.create_host_config(**_host_arguments(spec)),
    }


def _host_arguments(spec: ContainerSpec) -> dict[str, Any]:
    limits = spec.limits
    return {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "network_mode": "none",
        "ipc_mode": "private",
        "init": True,
        "restart_policy": {"Name": "no"},
        "auto_remove": False,
        "mounts": [
            Mount(mount.target, mount.source, type="bind", read_only=mount.is_read_only) for mount in spec.mounts
        ],
        "tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={limits.tmp_bytes},mode=1777"},  # noqa: S108
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,  # no swap on top: memory alone would double the limit
        "shm_size": limits.shm_bytes,
        "pids_limit": limits.pids,
        "nano_cpus": None if limits.cpus is None else int(limits.cpus * _NANO),
        "oom_score_adj": _OOM_SCORE_ADJUSTMENT,
        "ulimits": _ulimits(limits),
        "log_config": LogConfig(
            type="json-file",
            config={"max-size": str(limits.log_max_bytes), "max-file": str(limits.log_max_files)},
        ),
        "device_requests": _device_requests(spec.devices),
    }


def _environment(spec: ContainerSpec) -> dict[str, str]:
    if spec.devices:
        return _ENVIRONMENT
    # CUDA images ask for every GPU; where nvidia is the default runtime they would get them without a lease.
    return {**_ENVIRONMENT, "NVIDIA_VISIBLE_DEVICES": "void"}


def _ulimits(limits: Limits) -> list[Ulimit]:
    """No core dumps. `open_files` 0 keeps the engine's own limit: an engine cannot give more than it has itself."""
    ulimits = [Ulimit(name="core", soft=0, hard=0)]
    if limits.open_files:
        ulimits.append(Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files))
    return ulimits


def _device_requests(devices: tuple[str, ...]) -> list[DeviceRequest]:
    if not devices:
        return []
    if devices == ALL_GPUS:
        return [DeviceRequest(count=-1, capabilities=[["gpu"]])]
    return [DeviceRequest(device_ids=list(devices), capabilities=[["gpu"]])]
