"""Which job another one goes on from, and from which of its checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("training_jobs", "training_lineage"):
        op.add_column(table, sa.Column("continues", sa.String(36), nullable=True))
        op.add_column(table, sa.Column("continues_from", sa.Text(), nullable=True))
