"""Until when a container that was told to stop may save, and of which step a job's newest checkpoint is."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("training_jobs", sa.Column("kill_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("training_jobs", sa.Column("checkpoint_step", sa.BigInteger(), nullable=True))
