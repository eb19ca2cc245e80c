"""Somebody else's Data API beside the tests' own: `python -m tests.integration.supabase.oracle FOLDER`.

FOLDER is one where `npm install @supabase/lite postgres` was run. Not a test of the suite, which needs no Node: it
shows by an independent implementation that the tests' own server answers as it should, request by request over the
same database, and that the ownership check holds there. Prints one line a case; exits with 1 where one differs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from orchestrator.adapters.sql import SqlDatasetStore, connect, migrate
from orchestrator.adapters.supabase import Project, SupabaseDatasetStore
from orchestrator.domain.errors import LorryError
from orchestrator.domain.identity import Identity
from tests.factories import make_dataset
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer
from tests.integration.supabase.signer import Signer
from tests.postgres import running_postgres
from tests.waiting import eventually

PORT = 54999
URL = f"http://127.0.0.1:{PORT}"
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


def main(folder: Path) -> None:
    signer = Signer(issuer=f"{URL}/auth/v1", trusted=[])
    with running_postgres() as postgres:
        url = postgres.create_supabase()
        database = connect(url)
        migrate(database)
        rows = SqlDatasetStore(database)
        asked = _requests(rows, signer)
        expected = _answers_of_our_own(url, asked)  # before: the other one makes an auth.uid() of its own
        with _lite(folder, url, signer.secret):
            cases = {case: (expected[case], _answer(URL, *request)) for case, request in asked.items()}
            cases |= _cases(SupabaseDatasetStore(Project(URL, PUBLISHABLE_KEY), rows), signer)
        database.close()
    for case, (expected, seen) in cases.items():
        verdict = "ok " if expected == seen else f"BAD (expected {expected})"
        print(f"{verdict} {case}: {seen}")  # noqa: T201 - its output
    sys.exit(any(expected != seen for expected, seen in cases.values()))


def _cases(store: SupabaseDatasetStore, signer: Signer) -> dict[str, tuple[str, str]]:
    """What is expected and what was seen, by case."""
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
        "no token at all": ("closed", str(Project(URL, PUBLISHABLE_KEY)._datasets_as_nobody())),
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
def _lite(folder: Path, url: str, secret: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "config.toml"
        config.write_text(
            _CONFIG.format(port=PORT, secret=secret, publishable_key=PUBLISHABLE_KEY, secret_key=SECRET_KEY, url=url)
        )
        program = folder.resolve() / "node_modules" / ".bin" / "lite"
        # Without --no-admin whoever sends no key is service_role.
        command = [str(program), "start", "--no-admin", "--config", str(config)]
        environment = {**os.environ, "LITE_TELEMETRY": "0"}
        with subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.DEVNULL) as server:
            try:
                eventually(_answers, within_seconds=30)
                yield
            finally:
                server.terminate()


def _answers() -> bool:
    try:
        return httpx2.get(f"{URL}/rest/v1/", headers={"apikey": PUBLISHABLE_KEY}).status_code < 500
    except httpx2.TransportError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
