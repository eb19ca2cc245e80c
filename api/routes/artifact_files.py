"""The bytes of what training made: with a token, or by a link that a browser follows (docs/artifacts.md)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import FileResponse, Response

from api.artifact_headers import INERT, NOT_MODIFIED, IfNoneMatch, etag, is_known
from api.dependencies import ArtifactId, ArtifactTicketsService, CurrentIdentity, RecordsService, admit
from api.door import Door
from api.router import Router
from api.schemas.envelope import GUARDED, Single, errors
from api.schemas.records import LinkOut
from orchestrator.domain.identity import Identity

router = Router(tags=["records"], responses={**GUARDED, **errors(404)})

FileName = Annotated[
    str | None,
    Query(
        description="What it is to be called, instead of its own name.", max_length=200, pattern=r"^[^/\\\x00-\x1f]+$"
    ),
]


async def _downloader(artifact_id: ArtifactId, door: Door, tickets: ArtifactTicketsService) -> Identity:
    return await door.let_in(lambda ticket: tickets.redeem(ticket, artifact_id))


Downloader = Annotated[Identity, Depends(_downloader)]


@router.get("/artifacts/{artifact_id}/link", summary="A link to a file", dependencies=[Depends(admit)])
def link_artifact(artifact_id: ArtifactId, identity: CurrentIdentity, records: RecordsService) -> Single[LinkOut]:
    """Signed for an hour where the file has a copy in Supabase Storage, so that a browser downloads it from there."""
    return Single(data=LinkOut.from_domain(records.link(identity, artifact_id), artifact_id))


@router.post(
    "/artifacts/{artifact_id}/link",
    summary="Make a link that a browser follows",
    dependencies=[Depends(admit)],
    responses=errors(400),
)
def open_link(
    artifact_id: ArtifactId, identity: CurrentIdentity, records: RecordsService, name: FileName = None
) -> Single[LinkOut]:
    """It needs no token: a browser downloads with it by itself. To the copy in Storage where there is one; else to this
    server, where it opens this one file, is to be followed within 30 seconds, and then may be asked for the rest for an
    hour."""
    return Single(data=LinkOut.from_domain(records.open_link(identity, artifact_id, name=name), artifact_id, name))


@router.get(
    "/artifacts/{artifact_id}/download",
    summary="Download a file",
    response_class=FileResponse,
    responses={
        **errors(400),
        **NOT_MODIFIED,
        200: {"content": {"application/octet-stream": {}}, "description": "The bytes; the ETag is their sha256."},
        206: {"content": {"application/octet-stream": {}}, "description": "The asked `Range` of the bytes."},
        416: {"description": "The file has no such `Range`."},
    },
)
def download_artifact(
    artifact_id: ArtifactId,
    identity: Downloader,
    records: RecordsService,
    name: FileName = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """As an attachment under its own name. A broken download goes on with `Range` and `If-Range`."""
    file = records.artifact_file(identity, artifact_id)
    headers = {**INERT, "ETag": etag(file.artifact)}
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    called = name or file.artifact.name
    return FileResponse(file.path, media_type="application/octet-stream", filename=called, headers=headers)
