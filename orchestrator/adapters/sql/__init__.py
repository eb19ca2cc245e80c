"""The stores over SQLAlchemy Core: one code for SQLite and Postgres."""

from orchestrator.adapters.sql.audit_log import SqlAuditLog
from orchestrator.adapters.sql.dataset_store import SqlDatasetStore
from orchestrator.adapters.sql.engine import connect
from orchestrator.adapters.sql.job_store import SqlJobStore
from orchestrator.adapters.sql.leadership import FencedDatabase, SqlLeadership
from orchestrator.adapters.sql.migrate import is_migrated, migrate
from orchestrator.adapters.sql.record_store import SqlRecordStore
from orchestrator.adapters.sql.token_store import SqlTokenStore

__all__ = [
    "FencedDatabase",
    "SqlAuditLog",
    "SqlDatasetStore",
    "SqlJobStore",
    "SqlLeadership",
    "SqlRecordStore",
    "SqlTokenStore",
    "connect",
    "is_migrated",
    "migrate",
]
