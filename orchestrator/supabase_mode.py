"""What LORRY_SUPABASE_URL changes: the adapters of Supabase mode, put together for bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.adapters.sql import SqlDatasetStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.supabase import (
    LOOPBACK_HOSTS,
    Bucket,
    ClaimRules,
    Project,
    SupabaseDatasetStore,
    SupabaseTokens,
    problem_of_key,
)
from orchestrator.domain.errors import Rejected
from orchestrator.ports.dataset_store import DatasetStore
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class SupabaseMode:
    project: Project
    tokens: SupabaseTokens
    artifacts: Bucket | None
    datasets: Bucket | None

    @classmethod
    def of(cls, settings: Settings) -> SupabaseMode | None:
        """None in the embedded default. Raises Rejected for a key that would let others in."""
        project = supabase_project(settings)
        if project is None:
            return None
        rules = ClaimRules(
            issuer=settings.issuer,
            are_anonymous_users_allowed=settings.supabase_anonymous_users,
            are_oauth_clients_allowed=settings.supabase_oauth_clients,
        )
        return cls(
            project=project,
            tokens=SupabaseTokens(project, rules),
            artifacts=storage_bucket(settings, settings.supabase_bucket),
            datasets=storage_bucket(settings, settings.supabase_dataset_bucket),
        )

    def dataset_store(self, database: Database) -> DatasetStore:
        """The project's policies can decide only about rows that lie in the project's own Postgres."""
        rows = SqlDatasetStore(database)
        return SupabaseDatasetStore(self.project, rows) if database.engine.dialect.name == "postgresql" else rows

    def close(self) -> None:
        self.project.close()
        for bucket in (self.artifacts, self.datasets):
            if bucket is not None:
                bucket.close()


def storage_bucket(settings: Settings, name: str | None) -> Bucket | None:
    """None where no secret key, or no such bucket, is set: nothing is copied to Storage then."""
    if settings.supabase_url is None or settings.supabase_secret_key is None or not name:
        return None
    return Bucket(settings.supabase_url, settings.supabase_secret_key.get_secret_value(), name)


def supabase_project(settings: Settings) -> Project | None:
    """None in the embedded default. Raises Rejected for a key that would let others in."""
    if settings.supabase_url is None:
        return None
    key = settings.supabase_publishable_key or ""
    problem = problem_of_key(key, is_reachable_by_others=settings.host not in LOOPBACK_HOSTS)
    if problem is not None:
        raise Rejected(f"LORRY_SUPABASE_PUBLISHABLE_KEY cannot be used: {problem}.", code="SETTINGS_UNUSABLE")
    return Project(settings.supabase_url, key)
