"""The keys of a test project and the tokens signed with them, good and bad."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import api_jws as jws
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "authenticated"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Key:
    """A signing key; `algorithm` is ES256 or RS256."""

    id: str
    private: PrivateKey
    algorithm: str

    def jwk(self) -> dict[str, Any]:
        """The public half, as it is published."""
        kind: Any = ECAlgorithm if self.algorithm == "ES256" else RSAAlgorithm
        described = json.loads(kind.to_jwk(self.private.public_key()))
        return {**described, "kid": self.id, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}


def make_key(algorithm: str = "ES256") -> Key:
    private: PrivateKey
    if algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Key(str(uuid.uuid4()), private, algorithm)


@dataclass
class Signer:
    """What a project signs with. Tokens are minted with the newest key unless a test says otherwise."""

    issuer: str
    secret: str = "the-shared-secret-of-a-project-from-before-2025-has-48-bytes"
    trusted: list[Key] = field(default_factory=lambda: [make_key()])

    def rotate(self, algorithm: str = "ES256") -> Key:
        """A new key in use; the earlier ones stay trusted."""
        self.trusted.append(make_key(algorithm))
        return self.trusted[-1]

    def revoke_all_but_newest(self) -> None:
        del self.trusted[:-1]

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk() for key in self.trusted]}

    def claims(self, user_id: str, **changes: Any) -> dict[str, Any]:
        """What a signed-in user's token says; a change to None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": user_id,
            "aud": AUDIENCE,
            "exp": now + 3600,
            "iat": now,
            "email": "somebody@example.org",
            "phone": "",
            "app_metadata": {"provider": "email"},
            "user_metadata": {},
            "role": AUDIENCE,
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": now}],
            "session_id": str(uuid.uuid4()),
            "is_anonymous": False,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def mint(
        self, user_id: str, *, key: Key | None = None, headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """An access token as Supabase signs it today."""
        key = key or self.trusted[-1]
        said = {"kid": key.id, **(headers or {})}
        # Below jwt.encode, which is too polite to write what a hostile token says.
        payload = json.dumps(self.claims(user_id, **claims)).encode()
        return jws.encode(payload, key.private, key.algorithm, headers=said)

    def mint_with_secret(self, user_id: str, *, secret: str | None = None, **claims: Any) -> str:
        """An access token as older projects sign it: with the shared secret, and no key id."""
        return jwt.encode(self.claims(user_id, **claims), secret or self.secret, "HS256")

    def api_key(self, role: str) -> str:
        """A legacy anon or service_role key: signed with the same secret as its users' tokens."""
        claims = {"iss": "supabase", "ref": "test", "role": role, "iat": 1_700_000_000, "exp": 2_200_000_000}
        return jwt.encode(claims, self.secret, "HS256")

    def opened(self, token: str) -> dict[str, Any]:
        """The claims of a token that this project signed, for whatever audience; raises jwt.PyJWTError."""
        header = jwt.get_unverified_header(token)
        key = next((key for key in self.trusted if key.id == header.get("kid")), None)
        options: Any = {"verify_aud": False}
        if key is None:
            return jwt.decode(token, self.secret, ["HS256"], leeway=30, options=options)
        return jwt.decode(token, key.private.public_key(), [key.algorithm], leeway=30, options=options)
