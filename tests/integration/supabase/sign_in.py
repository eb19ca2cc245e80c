"""Signing in at a test project: passwords, tokens that are renewed once each, and signing out."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from tests.integration.supabase.data_api import Answer
from tests.integration.supabase.signer import Signer

TOKEN, LOGOUT = "/auth/v1/token", "/auth/v1/logout"


class SignIn:
    """`token_seconds` is how long an access token lasts from now on."""

    def __init__(self, signer: Signer, describe: Callable[[str], dict[str, Any]]) -> None:
        """`describe` gives a user as Auth shows them."""
        self.token_seconds = 3600
        self.renewals = 0
        self._signer = signer
        self._describe = describe
        self._passwords: dict[tuple[str, str], str] = {}
        self._renewable: dict[str, str] = {}  # user ids by refresh token

    def set_password(self, user_id: str, email: str, password: str) -> None:
        self._passwords[email, password] = user_id

    def answer(self, path: str, grant: str | None, content: bytes) -> Answer:
        if path == LOGOUT:
            self._renewable.clear()
            return Answer(204, b"")
        asked = json.loads(content)
        if grant == "password":
            return self._by_password(asked)
        return self._by_refresh_token(asked)

    def _by_password(self, asked: dict[str, Any]) -> Answer:
        user_id = self._passwords.get((asked.get("email", ""), asked.get("password", "")))
        if user_id is None:
            return auth_error(400, "invalid_credentials", "Invalid login credentials")
        return self._session(user_id)

    def _by_refresh_token(self, asked: dict[str, Any]) -> Answer:
        user_id = self._renewable.pop(asked.get("refresh_token", ""), None)
        if user_id is None:
            return auth_error(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        self.renewals += 1
        return self._session(user_id)

    def _session(self, user_id: str) -> Answer:
        expires_at = int(time.time()) + self.token_seconds
        refresh_token = secrets.token_urlsafe(9)
        self._renewable[refresh_token] = user_id
        body = {
            "access_token": self._signer.mint(user_id, exp=expires_at),
            "token_type": "bearer",
            "expires_in": self.token_seconds,
            "expires_at": expires_at,
            "refresh_token": refresh_token,
            "user": self._describe(user_id),
        }
        return Answer(200, body)


def auth_error(status: int, code: str, message: str) -> Answer:
    headers = (("X-Supabase-Api-Version", "2024-01-01"), ("x-sb-error-code", code))
    return Answer(status, {"code": code, "message": message}, headers)
