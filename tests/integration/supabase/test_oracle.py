"""Somebody else's Data API beside the tests' own, over the same database: each request is answered alike.

It shows by an independent implementation, npm's @supabase/lite, that the tests' own server answers as it should, and
that the ownership check holds there too.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest

from orchestrator.adapters.sql import SqlDatasetStore, connect, migrate
from orchestrator.adapters.supabase import Project, SupabaseDatasetStore
from orchestrator.domain.errors import LorryError
from orchestrator.domain.identity import Identity
from tests.factories import make_dataset
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer
from tests.integration.supabase.signer import Signer
from tests.postgres import Postgres, free_port
from tests.waiting import eventually

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = Path(__file__).with_name("oracle") / "node_modules" / ".bin" / "lite"  # `make oracle`
_CONFIG = """
[api]
port = {port}
[auth]
jwt_secret = "{secret}"
publishable_key = "{publishable_key}"
secret_key = "{secret_key}"
[db]
driver = "postgres"
url = "{url}"
"""


@dataclass(frozen=True)
class Seen:
    """By case: what is expected, and what the other Data API answered."""

    requests: dict[str, tuple[str, str]]
    ownership: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def seen(postgres: Postgres) -> Iterator[Seen]:
    port = free_port()
    other_url = f"http://127.0.0.1:{port}"
    signer = Signer(issuer=f"{other_url}/auth/v1", trusted=[])
    database_url = postgres.create_supabase()
    database = connect(database_url)
    migrate(database)
    rows = SqlDatasetStore(database)
    asked = _requests(rows, signer)
    expected = _answers_of_our_own(database_url, asked)  # before: the other one makes an auth.uid() of its own
    with _other(port, database_url, signer.secret):
        yield Seen(
            requests={case: (expected[case], _answer(other_url, *request)) for case, request in asked.items()},
            ownership=_cases(Project(other_url, PUBLISHABLE_KEY), rows, signer),
        )
    database.close()


def test_every_request_is_answered_as_an_independent_implementation_answers_it(seen: Seen) -> None:
    assert len(seen.requests) > 10
    assert {case: ours for case, (ours, _) in seen.requests.items()} == {
        case: theirs for case, (_, theirs) in seen.requests.items()
    }


def test_the_ownership_check_holds_before_an_independent_implementation(seen: Seen) -> None:
    assert {case: expected for case, (expected, _) in seen.ownership.items()} == {
        case: found for case, (_, found) in seen.ownership.items()
    }


def _cases(project: Project, rows: SqlDatasetStore, signer: Signer) -> dict[str, tuple[str, str]]:
    """What is expected and what was seen, by case."""
    store = SupabaseDatasetStore(project, rows)
    me = str(uuid.uuid4())
    mine, theirs = make_dataset(user_id=me), make_dataset(user_id=str(uuid.uuid4()))
    for dataset in (mine, theirs):
        store.add(dataset, [])

    def see(dataset_id: str, token: str) -> str:
        try:
            return store.get(dataset_id, Identity(me, access_token=token)).id
        except LorryError as error:
            return type(error).__name__

    good = signer.mint_with_secret(me)
    return {
        "one's own dataset": (mine.id, see(mine.id, good)),
        "another's": ("Refused", see(theirs.id, good)),
        "nobody's": ("NotFound", see(str(uuid.uuid4()), good)),
        "an expired token": ("Unauthenticated", see(mine.id, signer.mint_with_secret(me, exp=int(time.time()) - 3600))),
        "a forged token": ("Unauthenticated", see(mine.id, signer.mint_with_secret(me, secret="y" * 48))),
        "no token at all": ("closed", str(project._datasets_as_nobody())),
    }


def _requests(rows: SqlDatasetStore, signer: Signer) -> dict[str, tuple[str, str]]:
    """Table and query, and bearer, by case. Not the publishable key alone: to whoever has no privilege at all the other
    one says that there are no rows, where PostgREST says 42501."""
    me = str(uuid.uuid4())
    datasets = [make_dataset(user_id=me, name=name) for name in ("cats", "dogs", "birds")]
    theirs = make_dataset(user_id=str(uuid.uuid4()))
    for dataset in (*datasets, theirs):
        rows.add(dataset, [])
    bearers = {
        "good": signer.mint_with_secret(me),
        "expired": signer.mint_with_secret(me, exp=int(time.time()) - 3600),
        "not yet valid": signer.mint_with_secret(me, nbf=int(time.time()) + 3600),
        "forged": signer.mint_with_secret(me, secret="y" * 48),
        "secret key": SECRET_KEY,
    }
    asked = [(bearer, query) for bearer in bearers for query in ("datasets?select=id&order=name.asc",)]
    asked += [
        ("good", "datasets?select=name&order=name.desc&limit=1&offset=1"),
        ("good", f"datasets?select=id,name&id=eq.{datasets[0].id}"),
        ("good", f"datasets?select=id&id=eq.{theirs.id}"),
        ("good", "datasets?select=id&name=neq.cats&order=name.asc"),
        ("good", "datasets?select=nothing"),
        ("good", "datasets?select=id&nothing=eq.1"),
        ("good", "datasets?select=id&item_count=eq.many"),
        ("good", "training_jobs?select=id"),
        ("good", "api_tokens?select=token_hash"),
        ("good", "no_table?select=id"),
        ("secret key", "alembic_version?select=version_num"),
    ]
    return {f"{bearer}: {query}": (query, bearers[bearer]) for bearer, query in asked}


def _answers_of_our_own(database_url: str, asked: dict[str, tuple[str, str]]) -> dict[str, str]:
    server = SupabaseServer(database_url)
    server.start()
    try:
        return {case: _answer(server.url, *request) for case, request in asked.items()}
    finally:
        server.stop()


def _answer(url: str, query: str, bearer: str) -> str:
    """The status, and the rows or the error's code."""
    key = bearer if bearer == SECRET_KEY else PUBLISHABLE_KEY
    answer = httpx2.get(f"{url}/rest/v1/{query}", headers={"apikey": key, "Authorization": f"Bearer {bearer}"})
    said = answer.json()
    return f"{answer.status_code} {said if isinstance(said, list) else said['code']}"


@contextmanager
def _other(port: int, url: str, secret: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "config.toml"
        config.write_text(
            _CONFIG.format(port=port, secret=secret, publishable_key=PUBLISHABLE_KEY, secret_key=SECRET_KEY, url=url)
        )
        # Without --no-admin whoever sends no key is service_role.
        command = [_node(), str(_PROGRAM), "start", "--no-admin", "--config", str(config)]
        environment = {**os.environ, "LITE_TELEMETRY": "0"}
        with subprocess.Popen(
            command, cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                eventually(lambda: _answers(port), what="@supabase/lite")
                yield
            finally:
                server.terminate()


def _node() -> str:
    """The Node that the web app is built with."""
    command = [str(_ROOT / "web" / "npm.sh"), "exec", "--", "node", "--print", "process.execPath"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


def _answers(port: int) -> bool:
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}/rest/v1/", headers={"apikey": PUBLISHABLE_KEY})
    except httpx2.TransportError:
        return False
    return answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
