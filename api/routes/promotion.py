"""Checkpoints as adapters."""

from __future__ import annotations

from fastapi import Depends, Response

from api.dependencies import CurrentIdentity, JobId, PromotionService, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Single, errors
from api.schemas.registry import ModelVersionOut, PromoteBody

router = Router(prefix="/training/jobs/{job_id}", tags=["models"], dependencies=[Depends(admit)], responses=GUARDED)


@router.post(
    "/promote",
    status_code=201,
    summary="Register a checkpoint",
    responses={
        **errors(400, 404, 409),
        200: {"model": Single[ModelVersionOut], "description": "It is registered already."},
    },
)
def promote_checkpoint(
    job_id: JobId, body: PromoteBody, identity: CurrentIdentity, promotion: PromotionService, response: Response
) -> Single[ModelVersionOut]:
    """What a job had learned by a checkpoint becomes a version of a registered model, beside the one that the job ended
    with, once its adapter file has passed the verification that every adapter passes."""
    promoted = promotion.promote(identity, job_id, checkpoint=body.checkpoint, name=body.name)
    if not promoted.is_new:
        response.status_code = 200
    return Single(data=ModelVersionOut.from_domain(promoted.version))
