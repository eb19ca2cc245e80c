"""A Supabase project of the tests' own: its HTTP face on loopback, over a real Postgres with its roles and policies."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import psycopg

from tests.integration.supabase.data_api import Answer, DataApi
from tests.integration.supabase.sign_in import LOGOUT, TOKEN, SignIn, auth_error
from tests.integration.supabase.signer import AUDIENCE, Signer
from tests.integration.supabase.storage import Storage

PUBLISHABLE_KEY = "sb_publishable_of-the-test-project"
SECRET_KEY = "sb_secret_of-the-test-project"
JWKS, USER = "/auth/v1/.well-known/jwks.json", "/auth/v1/user"
# What the gateway says to every origin, for projects are asked by pages from anywhere.
_FOR_BROWSERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS"),
    ("Access-Control-Allow-Headers", "authorization,apikey,content-type,x-client-info,x-supabase-api-version"),
)


class SupabaseServer:
    """`broken` and `held` hold path prefixes: what they name answers 503, or not before `release`."""

    def __init__(self, url: str) -> None:
        self.asked: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.held: set[str] = set()
        self.release = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.project = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.signer = Signer(issuer=f"{self.url}/auth/v1")
        self.storage = Storage()
        self.sign_in = SignIn(self.signer, self._described)
        self._users: dict[str, dict[str, Any]] = {}
        self._admin_url = url
        self._data_api = DataApi(url.replace("lorry@", "authenticator@"), self.signer)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nobody listens any more; connections that are open are cut."""
        self.release.set()
        self._http.shutdown()
        self._http.server_close()

    def sign_up(self, user_id: str, **app_metadata: Any) -> None:
        with psycopg.connect(self._admin_url) as connection:
            connection.execute("INSERT INTO auth.users (id) VALUES (%s)", [user_id])
        self._users[user_id] = {"provider": "email", **app_metadata}

    def delete_user(self, user_id: str) -> None:
        """Their tokens stay good until they expire, for all that only check signatures."""
        del self._users[user_id]

    def answer(self, path: str, query: list[tuple[str, str]], headers: Any) -> Answer:
        self.asked[path] += 1
        if any(path.startswith(prefix) for prefix in self.held):
            self.release.wait(30)
        if any(path.startswith(prefix) for prefix in self.broken):
            return Answer(503, {"message": "name resolution failed"})
        if path == JWKS:
            return Answer(200, self.signer.jwks(), (("Cache-Control", "public, max-age=600"),))
        key = headers.get("apikey")
        if key is None:
            return Answer(401, {"message": "No API key found in request"})
        if key not in (PUBLISHABLE_KEY, SECRET_KEY, self.signer.api_key("anon")):
            return Answer(401, {"message": "Invalid API key"})
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        if path == USER:
            return self._user(bearer)
        if path.startswith("/rest/v1/"):
            role = ("service_role" if key == SECRET_KEY else "anon") if bearer == key else None
            return self._data_api.select(path.removeprefix("/rest/v1/"), query, bearer=bearer, role_of_key=role)
        return Answer(404, {"message": "no Route matched with those values"})

    def answer_sign_in(self, address: str, content: bytes) -> Answer:
        self.asked[urlsplit(address).path] += 1
        return self.sign_in.answer(
            urlsplit(address).path, dict(parse_qsl(urlsplit(address).query)).get("grant_type"), content
        )

    def answer_storage(self, method: str, address: str, headers: Any, content: bytes) -> Answer | None:
        path, query = urlsplit(address).path, dict(parse_qsl(urlsplit(address).query))
        self.asked[path] += 1
        if any(path.startswith(prefix) for prefix in self.broken):
            return Answer(503, {"message": "name resolution failed"})
        if "token" in query:
            return self.storage.redeem(path, query["token"], query.get("download"))
        is_service = headers.get("Authorization") == f"Bearer {SECRET_KEY}"
        return self.storage.answer(method, path, headers, content, is_service=is_service)

    def _user(self, token: str) -> Answer:
        try:
            claims = self.signer.opened(token)
        except jwt.PyJWTError as error:
            return auth_error(403, "bad_jwt", f"invalid JWT: {error}")
        if "sub" not in claims:
            return auth_error(403, "bad_jwt", "invalid claim: missing sub claim")
        if claims["sub"] not in self._users:
            return auth_error(403, "user_not_found", "User from sub claim in JWT does not exist")
        user = self._described(claims["sub"]) | {"is_anonymous": claims.get("is_anonymous", False)}
        return Answer(200, user)

    def _described(self, user_id: str) -> dict[str, Any]:
        """A user as Auth shows them."""
        return {
            "id": user_id,
            "aud": AUDIENCE,
            "role": AUDIENCE,
            "email": "somebody@example.org",
            "phone": "",
            "app_metadata": self._users[user_id],
            "user_metadata": {},
            "identities": [],
            "created_at": "2026-01-01T00:00:00.123456+00:00",
            "updated_at": "2026-01-01T00:00:00.123456+00:00",
            "is_anonymous": False,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        project: SupabaseServer = self.server.project  # type: ignore[attr-defined]
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if address.path.startswith("/storage/"):
            answer = project.answer_storage(self.command, self.path, self.headers, content)
        elif self.command == "OPTIONS":
            answer = Answer(200, b"")
        elif address.path in (TOKEN, LOGOUT):
            answer = project.answer_sign_in(self.path, content)
        else:
            answer = project.answer(address.path, parse_qsl(address.query, keep_blank_values=True), self.headers)
        if answer is None:
            self.close_connection = True
            return
        body = b"" if answer.body is None else answer.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with suppress(OSError):  # the client may have lost patience
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (*answer.headers, *_FOR_BROWSERS):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: answer.cut_at])
        self.close_connection = answer.cut_at is not None or self.close_connection

    do_POST = do_PATCH = do_HEAD = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the server's words

    def log_message(self, *_: Any) -> None:
        """The tests count requests themselves."""
