"""The lowest losses of each job on its own row, to list jobs by."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LOSSES = ("loss", "val_loss")

# The earliest of several that are as low, as it is told while they come in.
BEST = """
UPDATE training_jobs SET best_{loss} = best.value, best_{loss}_step = best.step
FROM (
  SELECT run_id, {loss} AS value, step,
    row_number() OVER (PARTITION BY run_id ORDER BY {loss}, attempt, step) AS place
  FROM training_metrics WHERE {loss} IS NOT NULL
) AS best
WHERE best.place = 1 AND best.run_id = training_jobs.id
"""


def upgrade() -> None:
    for loss in LOSSES:
        op.add_column("training_jobs", sa.Column(f"best_{loss}", sa.Float))
        op.add_column("training_jobs", sa.Column(f"best_{loss}_step", sa.BigInteger))
        op.execute(BEST.format(loss=loss))
    for of in (["user_id"], []):
        for loss in LOSSES:
            columns = [*of, f"best_{loss}", "created_at", "id"]
            op.create_index(f"ix_training_jobs_{'_'.join(columns)}", "training_jobs", columns)
    is_checkpoint = sa.text("kind = 'checkpoint'")
    op.create_index(
        "ix_artifacts_job_id_checkpoint",
        "artifacts",
        ["job_id"],
        postgresql_where=is_checkpoint,
        sqlite_where=is_checkpoint,
    )
