"""The stores over SQLAlchemy Core: one code for SQLite and Postgres."""

from orchestrator.adapters.sql.analysis_store import SqlAnalysisStore
from orchestrator.adapters.sql.artifact_ticket_store import SqlArtifactTicketStore
from orchestrator.adapters.sql.audit_log import SqlAuditLog
from orchestrator.adapters.sql.control_store import SqlContainerStore, SqlControlStore
from orchestrator.adapters.sql.dataset_store import SqlDatasetStore, SqlVersionStore
from orchestrator.adapters.sql.download_store import SqlDownloadStore
from orchestrator.adapters.sql.engine import connect
from orchestrator.adapters.sql.experiment_store import SqlExperimentStore
from orchestrator.adapters.sql.figure_store import SqlFigureStore
from orchestrator.adapters.sql.job_store import SqlJobStore
from orchestrator.adapters.sql.leadership import FencedDatabase, SqlLeadership
from orchestrator.adapters.sql.migrate import is_migrated, migrate, migration_sql
from orchestrator.adapters.sql.model_registry import SqlModelRegistry
from orchestrator.adapters.sql.news_store import SqlNewsStore
from orchestrator.adapters.sql.record_store import SqlRecordStore
from orchestrator.adapters.sql.retention_store import SqlRetentionStore
from orchestrator.adapters.sql.sample_store import SqlSampleStore
from orchestrator.adapters.sql.ticket_store import SqlTicketStore
from orchestrator.adapters.sql.token_store import SqlTokenStore
from orchestrator.adapters.sql.trash import SqlTrash
from orchestrator.adapters.sql.upload_store import SqlDatasetCopyStore, SqlUploadStore
from orchestrator.adapters.sql.wake_up import SqlWakeUp
from orchestrator.adapters.sql.webhook_store import SqlOutbox, SqlWebhookStore

__all__ = [
    "FencedDatabase",
    "SqlAnalysisStore",
    "SqlArtifactTicketStore",
    "SqlAuditLog",
    "SqlContainerStore",
    "SqlControlStore",
    "SqlDatasetCopyStore",
    "SqlDatasetStore",
    "SqlDownloadStore",
    "SqlExperimentStore",
    "SqlFigureStore",
    "SqlJobStore",
    "SqlLeadership",
    "SqlModelRegistry",
    "SqlNewsStore",
    "SqlOutbox",
    "SqlRecordStore",
    "SqlRetentionStore",
    "SqlSampleStore",
    "SqlTicketStore",
    "SqlTokenStore",
    "SqlTrash",
    "SqlUploadStore",
    "SqlVersionStore",
    "SqlWakeUp",
    "SqlWebhookStore",
    "connect",
    "is_migrated",
    "migrate",
    "migration_sql",
]
