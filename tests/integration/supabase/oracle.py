"""The ownership check against somebody else's Data API: `python -m tests.integration.supabase.oracle FOLDER`.

FOLDER is one where `npm install @supabase/lite postgres` was run. Not a test of the suite, which needs no Node: it
shows by an independent implementation that the tests' own server answers as it should. Prints one line a case.
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
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY
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
        with _lite(folder, url, signer.secret):
            cases = _cases(SupabaseDatasetStore(Project(URL, PUBLISHABLE_KEY), SqlDatasetStore(database)), signer)
        database.close()
    for case, (expected, seen) in cases.items():
        print(f"{'ok ' if expected == seen else 'BAD'} {case}: {seen}")  # noqa: T201 - its output
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
