"""Indexes for lists of very many jobs: those of a kind among a user's, and everybody's."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BY_AGE = ["created_at", "id"]
KINDS = [
    ["user_id", "status"],
    ["user_id", "type"],
    ["user_id", "base_model"],
    ["dataset_id", "user_id"],
    ["experiment_id", "user_id"],
]


def upgrade() -> None:
    for kind in (*KINDS, []):
        columns = [*kind, *BY_AGE]
        op.create_index(f"ix_training_jobs_{'_'.join(columns)}", "training_jobs", columns)
    for served in ("dataset_id", "experiment_id"):
        op.drop_index(f"ix_training_jobs_{served}", "training_jobs")
