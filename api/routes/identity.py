"""Signing in, and who is signed in."""

from __future__ import annotations

from fastapi import Depends, Request

from api.dependencies import CurrentIdentity, Limits, Options, SignInService, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Single, errors
from api.schemas.identity import IdentityOut, SignedIn, SignInBody, SignInOptions
from orchestrator.domain.errors import Unauthenticated

router = Router(prefix="/auth", tags=["identity"])


@router.post("/sign-in", summary="Exchange a sign-in link's code for a token", responses={**GUARDED, **errors(400)})
def exchange_code(body: SignInBody, request: Request, sign_in: SignInService, limits: Limits) -> Single[SignedIn]:
    """Once: whoever comes second with the same code is refused."""
    try:
        return Single(data=SignedIn(token=sign_in.exchange(body.code)))
    except Unauthenticated:
        limits.count_failed_authentication(request.client.host if request.client else "")
        raise


@router.get("/options", summary="How to sign in here")
async def get_sign_in_options(options: Options) -> Single[SignInOptions]:
    is_supabase = options.supabase_url is not None
    return Single(
        data=SignInOptions(
            mode="supabase" if is_supabase else "token",
            supabase_url=options.supabase_url,
            supabase_publishable_key=options.supabase_publishable_key,
        )
    )


@router.get("/me", summary="Who the token speaks for", dependencies=[Depends(admit)], responses=GUARDED)
async def get_identity(identity: CurrentIdentity) -> Single[IdentityOut]:
    return Single(data=IdentityOut.from_domain(identity))
