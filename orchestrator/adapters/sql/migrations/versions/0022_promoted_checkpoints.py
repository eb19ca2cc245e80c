"""Checkpoints that are versions of registered models beside what their job ended with."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OWN = sa.text("step IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("step", sa.Integer, nullable=True))
        models.drop_constraint("uq_models_job_id", type_="unique")
    op.create_index("ix_models_job_id", "models", ["job_id"])
    op.create_index("uq_models_own_version", "models", ["job_id"], unique=True, sqlite_where=OWN, postgresql_where=OWN)
