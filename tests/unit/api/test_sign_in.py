"""Sign-in links, and who is signed in."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.services.identity import CODE_LIFETIME, SIGNED_IN_LIFETIME
from tests.unit.api.installation import ALICE, Install, Installation

SIGN_IN = "/api/auth/sign-in"
ME = "/api/auth/me"


def test_a_code_is_exchanged_once_for_a_token_that_works(lorry: Installation) -> None:
    code = lorry.tokens.issue_code(ALICE, is_admin=True)
    token = lorry.client.post(SIGN_IN, json={"code": code}).json()["data"]["token"]
    me = lorry.client.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert me.json()["data"] == {"user_id": ALICE, "is_admin": True}

    again = lorry.client.post(SIGN_IN, json={"code": code})
    assert (again.status_code, again.json()["error"]) == (401, "SIGN_IN_LINK_INVALID")


def test_a_code_is_no_token_and_a_token_is_no_code(lorry: Installation) -> None:
    code = lorry.tokens.issue_code(ALICE)
    assert lorry.client.get(ME, headers={"Authorization": f"Bearer {code}"}).status_code == 401
    assert lorry.client.post(SIGN_IN, json={"code": lorry.tokens.issue(ALICE)}).status_code == 401


def test_a_link_that_was_left_lying_has_expired(lorry: Installation) -> None:
    code = lorry.tokens.issue_code(ALICE)
    lorry.clock.advance(CODE_LIFETIME.total_seconds())
    assert lorry.client.post(SIGN_IN, json={"code": code}).json()["error"] == "SIGN_IN_LINK_INVALID"


def test_who_signed_in_is_asked_again_after_a_week(lorry: Installation) -> None:
    token = lorry.tokens.exchange(lorry.tokens.issue_code(ALICE))
    headers = {"Authorization": f"Bearer {token}"}
    lorry.clock.advance((SIGNED_IN_LIFETIME - timedelta(seconds=1)).total_seconds())
    assert lorry.client.get(ME, headers=headers).status_code == 200
    lorry.clock.advance(1)
    assert lorry.client.get(ME, headers=headers).status_code == 401


def test_codes_cannot_be_guessed_at_any_pace(install: Install) -> None:
    lorry = install(failed_authentication_rate="2/minute")
    statuses = [lorry.client.post(SIGN_IN, json={"code": "once_guess"}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_a_link_of_a_user_whose_tokens_are_revoked_is_worthless(lorry: Installation) -> None:
    code = lorry.tokens.issue_code(ALICE)
    lorry.tokens.revoke(ALICE)
    assert lorry.client.post(SIGN_IN, json={"code": code}).status_code == 401


def test_the_page_is_told_how_people_sign_in_here(install: Install) -> None:
    ours = install().client.get("/api/auth/options").json()["data"]
    assert ours == {"mode": "token", "supabase_url": None, "supabase_publishable_key": None}
    theirs = install(supabase_url="https://p.supabase.co", supabase_publishable_key="sb_publishable_x")
    assert theirs.client.get("/api/auth/options").json()["data"]["mode"] == "supabase"
