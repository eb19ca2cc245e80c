"""Supabase: who holds an access token, and whose datasets are whose. Foreign errors become ours in `project`."""

from orchestrator.adapters.supabase.access_tokens import SupabaseTokens
from orchestrator.adapters.supabase.api_keys import problem_of_key
from orchestrator.adapters.supabase.bucket import Bucket
from orchestrator.adapters.supabase.claims import ClaimRules
from orchestrator.adapters.supabase.dataset_store import SupabaseDatasetStore
from orchestrator.adapters.supabase.project import LOOPBACK_HOSTS, DatasetsSeen, Project, ProjectFacts

__all__ = [
    "LOOPBACK_HOSTS",
    "Bucket",
    "ClaimRules",
    "DatasetsSeen",
    "Project",
    "ProjectFacts",
    "SupabaseDatasetStore",
    "SupabaseTokens",
    "problem_of_key",
]
