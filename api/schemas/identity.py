"""Signing in, and who is signed in."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.identity import Identity


class SignInBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        max_length=128,
        description="Of a link that `lorry token link` printed. It works once.",
        examples=["b1YfQx3kTq0nVw7uJ2mZpA"],
    )


class SignedIn(BaseModel):
    token: str = Field(description="A bearer token, valid for a week.", examples=["lorry_4mK9vR2xPq7sT1wYb8NcZ"])


class IdentityOut(BaseModel):
    user_id: str
    is_admin: bool

    @classmethod
    def from_domain(cls, identity: Identity) -> IdentityOut:
        return cls(user_id=identity.user_id, is_admin=identity.is_admin)


class SignInOptions(BaseModel):
    """How users of this installation get a token."""

    mode: Literal["token", "supabase"] = Field(description="`token`: an operator gives them out.")
    supabase_url: str | None = Field(examples=[None])
    supabase_publishable_key: str | None = Field(description="Made to be public.", examples=[None])
