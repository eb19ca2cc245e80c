"""Every bearer token that must not open the door, through the real API: its status, and what it costs Supabase."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.supabase.conftest import Install, Installation
from tests.integration.supabase.server import JWKS, PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer
from tests.integration.supabase.signer import Signer, make_key

JOBS = "/api/training/jobs"
Forge = Callable[[Signer, str], str | None]


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(signer: Signer, user: str, header: Any, payload: Any = None, signature: bytes = b"x" * 64) -> str:
    """A token that no library would write."""
    return f"{part(header)}.{part(signer.claims(user) if payload is None else payload)}.{part(signature)}"


def header(signer: Signer, **changes: Any) -> dict[str, Any]:
    return {"alg": "ES256", "typ": "JWT", "kid": signer.trusted[-1].id, **changes}


def hmac_with(secret: Callable[[Signer], bytes], *, kid: bool = True) -> Forge:
    """HS256 under what is no secret at all."""

    def forge(signer: Signer, user: str) -> str:
        head = {"alg": "HS256", "typ": "JWT"} | ({"kid": signer.trusted[-1].id} if kid else {})
        signed = f"{part(head)}.{part(signer.claims(user))}"
        return f"{signed}.{part(hmac.digest(secret(signer), signed.encode(), hashlib.sha256))}"

    return forge


def public(signer: Signer, encoding: Encoding) -> bytes:
    return signer.trusted[-1].private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def says(**claims: Any) -> Forge:
    """Signed with the real key; only what it says is wrong."""
    return lambda signer, user: signer.mint(user, **claims)


def heads(**headers: Any) -> Forge:
    return lambda signer, user: signer.mint(user, headers=headers)


def now() -> int:
    return int(time.time())


def with_payload(payload: bytes) -> Forge:
    def forge(signer: Signer, user: str) -> str:
        signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}"
        return f"{signed}.{part(hmac.digest(signer.secret.encode(), signed.encode(), hashlib.sha256))}"

    return forge


def resigned(token: str, claims: dict[str, Any]) -> str:
    """A good token with other claims under the old signature."""
    head, _, signature = token.split(".")
    return f"{head}.{part(claims)}.{signature}"


HOSTILE: dict[str, Forge] = {
    "no token": lambda *_: None,
    "an empty one": lambda *_: "",
    "garbage": lambda *_: "garbage",
    "three empty parts": lambda *_: "..",
    "two parts": lambda signer, user: signer.mint(user).rpartition(".")[0],
    "four parts": lambda signer, user: signer.mint(user) + ".x",
    "five parts, as an encrypted one has": lambda signer, user: signer.mint(user) + ".x.y",
    "a header that is no JSON": lambda *_: f"{part(b'{')}.{part(b'{}')}.x",
    "a header that is a list": lambda signer, user: by_hand(signer, user, ["ES256"]),
    "a payload that is a list": lambda signer, user: by_hand(signer, user, header(signer), [1]),
    "a payload that is no JSON": with_payload(b"{'sub': 1}"),
    "a payload nested 4000 deep": with_payload(b"[" * 4000),
    "an expiry of Infinity": with_payload(
        b'{"exp": Infinity, "sub": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "aud": "authenticated", "role": "x"}'
    ),
    "characters that are no base64": lambda signer, user: signer.mint(user).replace(".", ".~"),
    "a megabyte": lambda signer, user: signer.mint(user, user_metadata={"note": "x" * 1_000_000}),
    "the publishable key": lambda *_: PUBLISHABLE_KEY,
    "the secret key": lambda *_: SECRET_KEY,
    "the legacy anon key": lambda signer, _: signer.api_key("anon"),
    "the legacy service_role key": lambda signer, _: signer.api_key("service_role"),
    "no algorithm": lambda signer, user: by_hand(signer, user, header(signer, alg="none"), signature=b""),
    "no algorithm, in other letters": lambda signer, user: by_hand(signer, user, header(signer, alg="nOnE")),
    "an algorithm that is a list": lambda signer, user: by_hand(signer, user, header(signer, alg=["ES256"])),
    "HS256 with the public key as PEM": hmac_with(lambda signer: public(signer, Encoding.PEM)),
    "HS256 with the public key as DER": hmac_with(lambda signer: public(signer, Encoding.DER)),
    "HS256 with the public key as JWK": hmac_with(lambda signer: json.dumps(signer.trusted[-1].jwk()).encode()),
    "HS256 with the public key, no key id": hmac_with(lambda signer: public(signer, Encoding.PEM), kid=False),
    "HS256 with an empty secret": hmac_with(lambda _: b""),
    "HS384 with the project's secret": lambda signer, user: jwt.encode(signer.claims(user), signer.secret, "HS384"),
    "RS256 under an ES256 key's id": lambda signer, user: signer.mint(
        user, key=make_key("RS256"), headers={"kid": signer.trusted[-1].id}
    ),
    "ES384 under an ES256 key's id": lambda signer, user: jwt.encode(
        signer.claims(user), ec.generate_private_key(ec.SECP384R1()), "ES384", headers={"kid": signer.trusted[-1].id}
    ),
    "another's key under a known id": lambda signer, user: signer.mint(
        user, key=make_key(), headers={"kid": signer.trusted[-1].id}
    ),
    "an unknown key": lambda signer, user: signer.mint(user, key=make_key()),
    "an unknown key that it brings along": lambda signer, user: signer.mint(
        user, key=(key := make_key()), headers={"jwk": key.jwk()}
    ),
    "an address to fetch its key from": lambda signer, user: signer.mint(
        user, key=make_key(), headers={"jku": "https://evil.example/jwks.json"}
    ),
    "a key id that is a number": lambda signer, user: by_hand(signer, user, header(signer, kid=1)),
    "a key id that is a path": lambda signer, user: by_hand(signer, user, header(signer, kid="../../etc/passwd")),
    "no key id": lambda signer, user: jwt.encode(signer.claims(user), make_key().private, "ES256"),
    "a signature of zeros": lambda signer, user: by_hand(signer, user, header(signer), signature=b"\0" * 64),
    "an empty signature": lambda signer, user: by_hand(signer, user, header(signer), signature=b""),
    "other claims under a good signature": lambda signer, user: resigned(
        signer.mint(user), signer.claims(str(uuid.uuid4()))
    ),
    "a critical header nobody knows": heads(crit=["x"], x=1),
    "the type of another kind of token": heads(typ="dpop+jwt"),
    "an OAuth access token's type": heads(typ="at+jwt"),
    "expired a minute ago": says(exp=now() - 60),
    "no expiry": says(exp=None),
    "an expiry in words": says(exp="tomorrow"),
    "not yet valid": says(nbf=now() + 3600),
    "issued in an hour": says(iat=now() + 3600),
    "no subject": says(sub=None),
    "a subject that is no UUID": says(sub="alice"),
    "a subject that is a number": says(sub=7),
    "a subject in braces": lambda signer, user: signer.mint(f"{{{user}}}"),
    "a subject as a URN": lambda signer, user: signer.mint(f"urn:uuid:{user}"),
    "no audience": says(aud=None),
    "another audience, as an ID token has": says(aud="my-web-app"),
    "a list of audiences": says(aud=["authenticated", "my-web-app"]),
    "a list of the right audience": says(aud=["authenticated"]),
    "no issuer": says(iss=None),
    "another project's issuer": says(iss="https://another.supabase.co/auth/v1"),
    "an issuer that begins like ours": lambda signer, user: signer.mint(user, iss=f"{signer.issuer}.evil.example"),
    "an issuer that ours begins with": lambda signer, user: signer.mint(user, iss=signer.issuer[:-1]),
    "a list of issuers": lambda signer, user: signer.mint(user, iss=[signer.issuer]),
    "no role": says(role=None),
    "the role anon": says(role="anon"),
    "the role service_role": says(role="service_role"),
    "an anonymous user's": says(is_anonymous=True),
    "an anonymous user's, said oddly": says(is_anonymous="true"),
    "a third-party application's": says(client_id=str(uuid.uuid4()), scope="openid"),
    "the shared secret's, expired": lambda signer, user: signer.mint_with_secret(user, exp=now() - 60),
    "the shared secret's, for nobody": lambda signer, user: signer.mint_with_secret(str(uuid.uuid4())),
    "the shared secret's, of another project": lambda signer, user: signer.mint_with_secret(user, secret="y" * 40),
    "one of ours that nobody issued": lambda *_: "lorry_" + "x" * 43,
    "one of ours, then a good one": lambda signer, user: f"lorry_{signer.mint(user)}",
}


@pytest.mark.parametrize("forge", [pytest.param(forge, id=name) for name, forge in HOSTILE.items()])
def test_a_hostile_token_is_refused_without_a_word_of_it(
    lorry: Installation, supabase: SupabaseServer, user: str, forge: Forge
) -> None:
    token = forge(supabase.signer, user)
    answer = lorry.get(JOBS, token)
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not token or token not in answer.text
    assert supabase.asked[JWKS] <= 1


def test_the_table_of_hostile_tokens_is_long() -> None:
    assert len(HOSTILE) >= 40


def test_all_of_them_together_cost_one_fetch_of_the_keys(
    lorry: Installation, supabase: SupabaseServer, user: str
) -> None:
    assert {lorry.get(JOBS, forge(supabase.signer, user)).status_code for forge in HOSTILE.values()} == {401}
    assert supabase.asked[JWKS] == 1
    assert lorry.get(JOBS, supabase.signer.mint(user)).status_code == 200


def test_a_good_token_is_let_in(lorry: Installation, supabase: SupabaseServer, user: str) -> None:
    for token in (
        supabase.signer.mint(user),
        supabase.signer.mint(user, exp=now() - 10),  # clocks differ by so much
        supabase.signer.mint(user, nbf=now() + 10),
        supabase.signer.mint(user, key=supabase.signer.trusted[0], headers={"typ": "jwt"}),
        lorry.own_tokens.issue("alice"),
    ):
        assert lorry.get(JOBS, token).status_code == 200


def test_only_the_projects_owner_makes_administrators(lorry: Installation, supabase: SupabaseServer, user: str) -> None:
    def status(**claims: Any) -> int:
        code: int = lorry.get("/api/admin/audit", supabase.signer.mint(user, **claims)).status_code
        return code

    assert status(app_metadata={"role": "admin"}) == 200
    assert status(user_metadata={"role": "admin"}) == 403
    assert status(app_metadata={"role": ["admin"]}) == 403
    assert status(app_metadata="admin", user_role="admin") == 403


def test_anonymous_users_and_applications_come_in_where_the_settings_say_so(
    install: Install, supabase: SupabaseServer, user: str
) -> None:
    lorry = install(supabase_anonymous_users=True, supabase_oauth_clients=True)
    assert lorry.get(JOBS, supabase.signer.mint(user, is_anonymous=True)).status_code == 200
    assert lorry.get(JOBS, supabase.signer.mint(user, client_id="x")).status_code == 200


def test_the_issuer_is_a_setting(install: Install, supabase: SupabaseServer, user: str) -> None:
    public_address = "https://supabase.example.org/auth/v1"
    elsewhere = supabase.signer.mint(user, iss=public_address)
    assert install(supabase_issuer=public_address).get(JOBS, elsewhere).status_code == 200
    assert install(supabase_issuer="").get(JOBS, supabase.signer.mint(user, iss=None)).status_code == 200
