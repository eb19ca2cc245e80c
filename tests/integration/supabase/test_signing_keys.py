"""Keys are fetched once, rotated without a hitch, and outlive an outage; who cannot be told is never signed out."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestrator.adapters.supabase import SupabaseTokens
from orchestrator.adapters.supabase.signing_keys import COOLDOWN_SECONDS, LIFETIME_SECONDS, MAX_STALE_SECONDS
from orchestrator.domain.errors import IdentityUnavailable, Unauthenticated
from tests.integration.supabase.conftest import Elapsed, Installation
from tests.integration.supabase.server import JWKS, USER, SupabaseServer
from tests.integration.supabase.signer import make_key
from tests.waiting import eventually

JOBS = "/api/training/jobs"


def test_fifty_callers_at_once_cost_one_fetch(verifier: SupabaseTokens, supabase: SupabaseServer, user: str) -> None:
    supabase.held.add(JWKS)
    token = supabase.signer.mint(user)
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(verifier.verify, token) for _ in range(50)]
        eventually(lambda: supabase.asked[JWKS] == 1)
        supabase.release.set()
        assert {answer.result(timeout=10).user_id for answer in answers} == {user}
    assert supabase.asked == {JWKS: 1}


def test_a_thousand_unknown_keys_cost_one_fetch_a_window(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str
) -> None:
    verifier.verify(supabase.signer.mint(user))
    stranger = make_key()
    for number in range(1000):
        if number == 500:
            clock.seconds += COOLDOWN_SECONDS
        with pytest.raises(Unauthenticated):
            verifier.verify(supabase.signer.mint("alice", key=stranger, headers={"kid": f"unknown-{number}"}))
    assert supabase.asked == {JWKS: 2}  # and none of them was worth a question: no user has such a name


def test_a_refused_token_is_asked_about_once(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str
) -> None:
    token = supabase.signer.mint(user, key=make_key())
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            verifier.verify(token)
    assert supabase.asked[USER] == 1


def test_a_rotation_loses_nobody(verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str) -> None:
    before = supabase.signer.mint(user)
    assert verifier.verify(before).user_id == user
    supabase.signer.rotate("RS256")
    after = supabase.signer.mint(user)
    assert verifier.verify(after).user_id == user  # by asking: the keys were fetched a moment ago
    assert supabase.asked == {JWKS: 1, USER: 1}
    clock.seconds += COOLDOWN_SECONDS
    assert verifier.verify(after).user_id == verifier.verify(before).user_id == user
    assert supabase.asked == {JWKS: 2, USER: 1}


def test_a_revoked_key_is_gone_after_the_keys_lifetime(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str
) -> None:
    revoked = supabase.signer.mint(user)
    verifier.verify(revoked)
    supabase.signer.rotate()
    supabase.signer.revoke_all_but_newest()
    clock.seconds += LIFETIME_SECONDS
    with pytest.raises(Unauthenticated):
        verifier.verify(revoked)


def test_good_tokens_outlive_an_outage_but_not_for_ever(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str
) -> None:
    token = supabase.signer.mint(user)
    verifier.verify(token)
    supabase.broken.add("/")
    clock.seconds += LIFETIME_SECONDS
    for _ in range(10):
        assert verifier.verify(token).user_id == user
        with pytest.raises(IdentityUnavailable):
            verifier.verify(supabase.signer.mint(user, key=make_key()))  # known keys stay, unknown ones are nobody's
    assert supabase.asked[JWKS] == 2
    clock.seconds += MAX_STALE_SECONDS
    with pytest.raises(IdentityUnavailable):
        verifier.verify(token)
    supabase.broken.clear()
    clock.seconds += COOLDOWN_SECONDS
    assert verifier.verify(token).user_id == user


def test_whoever_is_known_does_not_wait_while_the_keys_are_fetched_again(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed, user: str
) -> None:
    token = supabase.signer.mint(user)
    verifier.verify(token)
    clock.seconds += LIFETIME_SECONDS
    supabase.held.add(JWKS)
    fetching = threading.Thread(target=verifier.verify, args=(token,))
    fetching.start()
    eventually(lambda: supabase.asked[JWKS] == 2)
    assert verifier.verify(token).user_id == user
    assert fetching.is_alive()
    supabase.release.set()
    fetching.join(10)


@pytest.mark.parametrize(
    "document",
    [{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256"}, {"kty": "unheard of"}, 7]}, {"keys": []}],
)
def test_keys_of_other_kinds_do_not_spoil_the_good_ones(
    verifier: SupabaseTokens,
    supabase: SupabaseServer,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    document: dict[str, Any],
) -> None:
    document = {"keys": [*document["keys"], *supabase.signer.jwks()["keys"]]}
    monkeypatch.setattr(supabase.signer, "jwks", lambda: document)
    assert verifier.verify(supabase.signer.mint(user)).user_id == user


def test_a_project_with_a_shared_secret_is_asked_each_time(
    verifier: SupabaseTokens, supabase: SupabaseServer, user: str
) -> None:
    supabase.signer.trusted.clear()
    token = supabase.signer.mint_with_secret(user)
    assert verifier.verify(token).user_id == verifier.verify(token).user_id == user
    assert supabase.asked == {USER: 2}
    supabase.delete_user(user)
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_what_its_owner_says_of_a_user_is_taken_from_the_answer_when_there_is_one(
    verifier: SupabaseTokens, supabase: SupabaseServer
) -> None:
    admin = str(uuid.uuid4())
    supabase.sign_up(admin, role="admin")
    assert verifier.verify(supabase.signer.mint_with_secret(admin)).is_admin
    demoted = str(uuid.uuid4())
    supabase.sign_up(demoted)
    token = supabase.signer.mint_with_secret(demoted, app_metadata={"role": "admin"})
    assert not verifier.verify(token).is_admin


def test_nobody_is_signed_out_by_an_outage(lorry: Installation, supabase: SupabaseServer, user: str) -> None:
    supabase.broken.add("/auth")
    for token in (supabase.signer.mint(user), supabase.signer.mint_with_secret(user)):
        answer = lorry.get(JOBS, token)
        assert (answer.status_code, answer.json()["error"]) == (503, "IDENTITY_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) > 0
    assert lorry.get(JOBS, lorry.own_tokens.issue("alice")).status_code == 200  # Lorry's own need no Supabase


def test_a_project_that_nobody_answers_for_is_an_outage_too(
    lorry: Installation, supabase: SupabaseServer, user: str
) -> None:
    supabase.stop()
    assert lorry.get(JOBS, supabase.signer.mint(user)).status_code == 503
    assert lorry.get(JOBS, supabase.signer.mint_with_secret(user)).status_code == 503


def test_a_wrong_key_of_ours_is_not_the_callers_fault(
    lorry: Installation, supabase: SupabaseServer, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.supabase.server.PUBLISHABLE_KEY", "another")
    assert lorry.get(JOBS, supabase.signer.mint_with_secret(user)).status_code == 503


def test_ready_says_whether_tokens_can_be_checked_and_asks_seldom(
    lorry: Installation, supabase: SupabaseServer
) -> None:
    def failing() -> set[str]:
        answer = lorry.get("/api/ready", None)
        return {check["field"] for check in answer.json()["details"]}

    supabase.broken.add(JWKS)
    assert "identity" in failing()
    assert "identity" in failing()
    assert supabase.asked[JWKS] == 1


def test_ready_is_content_with_keys_at_hand(lorry: Installation, supabase: SupabaseServer) -> None:
    answer = lorry.get("/api/ready", None)  # no orchestrator works here
    assert [check["field"] for check in answer.json()["details"]] == ["orchestrator"]
    assert supabase.asked[JWKS] == 1


def test_ready_holds_through_an_outage_in_which_good_tokens_do(
    verifier: SupabaseTokens, supabase: SupabaseServer, clock: Elapsed
) -> None:
    verifier.check()
    supabase.broken.add(JWKS)
    clock.seconds += LIFETIME_SECONDS
    verifier.check()
    clock.seconds += MAX_STALE_SECONDS
    with pytest.raises(IdentityUnavailable):
        verifier.check()
