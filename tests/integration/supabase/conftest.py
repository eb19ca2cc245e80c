"""A Supabase project of this test run's own, and the API in Supabase mode before it."""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.options import ApiOptions
from orchestrator import bootstrap
from orchestrator.adapters.sql import connect, migrate
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.supabase import ClaimRules, Project, SupabaseTokens
from orchestrator.services.identity import EitherToken, LorryTokens
from orchestrator.settings import Settings
from tests.integration.supabase.server import PUBLISHABLE_KEY, SupabaseServer
from tests.postgres import Postgres

UNLIMITED = "100000/minute"
_names = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty store, of each dialect in turn."""
    url = f"sqlite:///{tmp_path / 'uploads.db'}"
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
    database = connect(url)
    migrate(database)
    yield database
    database.close()


class Elapsed:
    """A monotonic clock that stands still unless a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="session")
def project_url(postgres: Postgres) -> str:
    """The address of the project's database."""
    return postgres.create_supabase()


@pytest.fixture
def supabase(project_url: str) -> Iterator[SupabaseServer]:
    server = SupabaseServer(project_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def user(supabase: SupabaseServer) -> str:
    """The id of somebody who has signed up."""
    return sign_up(supabase)


def sign_up(supabase: SupabaseServer, **app_metadata: Any) -> str:
    user_id = str(uuid.uuid4())
    supabase.sign_up(user_id, **app_metadata)
    return user_id


@pytest.fixture
def clock() -> Elapsed:
    return Elapsed()


@pytest.fixture
def verifier(supabase: SupabaseServer, clock: Elapsed) -> Iterator[SupabaseTokens]:
    project = Project(supabase.url, PUBLISHABLE_KEY)
    yield SupabaseTokens(project, ClaimRules(issuer=supabase.signer.issuer), monotonic=clock)
    project.close()


@dataclass(frozen=True)
class Installation:
    """The API in Supabase mode, over the project's own database."""

    client: TestClient
    lorry: bootstrap.Lorry
    own_tokens: LorryTokens

    def get(self, path: str, token: str | None) -> Any:
        return self.client.get(path, headers=bearing(token))


Install = Callable[..., Installation]


def bearing(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
def install(supabase: SupabaseServer, project_url: str, tmp_path: Path, clock: Elapsed) -> Iterator[Install]:
    """Builds installations; keyword arguments are settings. The verifier's clock is the test's."""
    built: list[bootstrap.Lorry] = []

    def build(**settings: Any) -> Installation:
        data_dir = tmp_path / f"data-{next(_names)}"
        defaults = {
            "data_dir": data_dir,
            "database_url": project_url,
            "supabase_url": supabase.url,
            "supabase_publishable_key": PUBLISHABLE_KEY,
            "gpus": "none",
        }
        chosen = Settings(**defaults | settings)
        lorry = bootstrap.build(chosen)
        built.append(lorry)
        own = bootstrap.identity_service(chosen)
        assert lorry.supabase is not None
        rules = ClaimRules(
            issuer=chosen.issuer,
            are_anonymous_users_allowed=chosen.supabase_anonymous_users,
            are_oauth_clients_allowed=chosen.supabase_oauth_clients,
        )
        clocked = EitherToken(own=own, other=SupabaseTokens(lorry.supabase.project, rules, monotonic=clock))
        options = ApiOptions(
            submit_rate=UNLIMITED, request_rate=UNLIMITED, failed_authentication_rate=UNLIMITED, submit_wait_seconds=0
        )
        app = create_app(dataclasses.replace(lorry.services, tokens=clocked), options)
        return Installation(TestClient(app), lorry, own)

    yield build
    for lorry in built:
        lorry.close()


@pytest.fixture
def lorry(install: Install) -> Installation:
    return install()
