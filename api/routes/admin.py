"""What only administrators may see and do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from api.dependencies import (
    AdminService,
    AuditService,
    ContainersService,
    CurrentIdentity,
    JobId,
    admins_only,
    admit,
)
from api.router import Router
from api.schemas.admin import (
    AdminJobQuery,
    AuditEntryOut,
    ContainerOut,
    DeviceBody,
    DeviceOut,
    MaintenanceBody,
    MaintenanceOut,
    PriorityBody,
    StopBody,
    UserLimitBody,
    UserLimitOut,
)
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.queue import QueueOut
from api.schemas.records import LOG_LINES
from api.schemas.training import JobOut

router = Router(
    prefix="/admin",
    tags=["admin"],
    dependencies=[Depends(admit), Depends(admins_only)],
    responses={**GUARDED, **errors(403)},
)

MAX_LOG_LINES = 10_000
ContainerId = Annotated[str, Path(max_length=100, description="The container's whole id.")]


@router.get("/audit", summary="What administrators and operators did", responses=errors(400))
def list_audit_entries(
    identity: CurrentIdentity,
    audit: AuditService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[AuditEntryOut]:
    """Newest first."""
    found = audit.list(identity, page=page, page_size=page_size)
    data = [AuditEntryOut.from_domain(entry) for entry in found.entries]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


# -- containers -----------------------------------------------------------------------------------------------------


@router.get("/containers", summary="List this installation's containers")
def list_containers(identity: CurrentIdentity, containers: ContainersService) -> Listing[ContainerOut]:
    """As the orchestrator last saw them, a few seconds ago; oldest first."""
    return Listing.whole([ContainerOut.from_domain(view) for view in containers.list(identity)])


@router.get("/containers/{container_id}", summary="Look at a container", responses=errors(400, 404))
def get_container(
    container_id: ContainerId, identity: CurrentIdentity, containers: ContainersService
) -> Single[ContainerOut]:
    return Single(data=ContainerOut.from_domain(containers.get(identity, container_id)))


@router.get(
    "/containers/{container_id}/logs",
    summary="The end of a container's log",
    responses={**errors(400, 404), **LOG_LINES},
)
def read_container_log(
    container_id: ContainerId,
    identity: CurrentIdentity,
    containers: ContainersService,
    tail: Annotated[int, Query(ge=1, le=MAX_LOG_LINES, description="How many lines.")] = 200,
) -> Listing[str]:
    """As it was captured for its job, whose attempts share one log; not to be trusted as HTML."""
    return Listing.whole(list(containers.log(identity, container_id, tail=tail)))


@router.post("/containers/{container_id}/stop", summary="Stop a container", responses=errors(400, 404, 409))
def stop_container(
    container_id: ContainerId, body: StopBody, identity: CurrentIdentity, containers: ContainersService
) -> Single[ContainerOut]:
    """Cancels its job, whose owner reads the reason. The container saves a checkpoint and ends within its grace."""
    return Single(data=ContainerOut.from_domain(containers.stop(identity, container_id, reason=body.reason)))


# -- jobs and devices -----------------------------------------------------------------------------------------------


@router.get("/jobs", summary="List all users' jobs", responses=errors(400))
def list_all_jobs(
    query: Annotated[AdminJobQuery, Query()], identity: CurrentIdentity, admin: AdminService
) -> Listing[JobOut]:
    found = admin.jobs(identity, query.to_domain(), page=query.page, page_size=query.page_size)
    data = [JobOut.from_domain(view) for view in found.views]
    return Listing(data=data, total=found.total, page=query.page, page_size=query.page_size)


@router.post("/jobs/{job_id}/priority", summary="Change a waiting job's priority", responses=errors(400, 404, 409))
def set_job_priority(
    job_id: JobId, body: PriorityBody, identity: CurrentIdentity, admin: AdminService
) -> Single[JobOut]:
    return Single(data=JobOut.from_domain(admin.prioritise(identity, job_id, body.priority)))


@router.get("/queue", summary="Look at everybody's queue")
def get_whole_queue(identity: CurrentIdentity, admin: AdminService) -> Single[QueueOut]:
    """`jobs` holds all users' waiting jobs here."""
    return Single(data=QueueOut.from_domain(admin.queue(identity)))


@router.get("/gpus", summary="List devices, who holds them, and which are suspect")
def list_devices(identity: CurrentIdentity, admin: AdminService) -> Listing[DeviceOut]:
    return Listing.whole([DeviceOut.from_domain(device) for device in admin.devices(identity)])


@router.post("/gpus/trust", summary="Trust a suspect device again", responses=errors(400, 404))
def trust_device(body: DeviceBody, identity: CurrentIdentity, admin: AdminService) -> Listing[DeviceOut]:
    admin.clear_suspect(identity, body.device)
    return list_devices(identity, admin)


# -- rules ----------------------------------------------------------------------------------------------------------


@router.get("/limits", summary="List users with a limit of their own")
def list_limits(identity: CurrentIdentity, admin: AdminService) -> Listing[UserLimitOut]:
    return Listing.whole(
        [UserLimitOut(user_id=user, max_active_jobs=most) for user, most in admin.limits(identity).items()]
    )


@router.post("/limits", summary="Give a user a limit of their own", responses=errors(400))
def set_limit(body: UserLimitBody, identity: CurrentIdentity, admin: AdminService) -> Listing[UserLimitOut]:
    """How many active jobs the user may have. What runs already goes on."""
    admin.set_limit(identity, body.user_id, body.max_active_jobs)
    return list_limits(identity, admin)


@router.get("/maintenance", summary="Is there maintenance")
def get_maintenance(identity: CurrentIdentity, admin: AdminService) -> Single[MaintenanceOut]:
    return Single(data=MaintenanceOut.from_domain(admin.maintenance(identity)))


@router.post("/maintenance", summary="Begin maintenance", responses=errors(400))
def begin_maintenance(body: MaintenanceBody, identity: CurrentIdentity, admin: AdminService) -> Single[MaintenanceOut]:
    """Jobs are accepted and queued, and none starts; those that run go on."""
    return Single(data=MaintenanceOut.from_domain(admin.begin_maintenance(identity, body.reason)))


@router.post("/maintenance/end", summary="End maintenance")
def end_maintenance(identity: CurrentIdentity, admin: AdminService) -> Single[MaintenanceOut]:
    admin.end_maintenance(identity)
    return Single(data=MaintenanceOut.from_domain(admin.maintenance(identity)))
