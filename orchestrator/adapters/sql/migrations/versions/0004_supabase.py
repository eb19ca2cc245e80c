"""Progress that the job's row does not show yet; pages of long lists; what is Lorry's own where no Data API looks.

Supabase serves the schema `public` to browsers. The tables there have row level security, and nobody but their owner
sees a row before a policy says so: `data_api.sql` adds those where there are users to name in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

MOVE_WHAT_IS_OURS = """
DO $$
DECLARE
  ours text := 'lorry_' || current_schema();
  name text;
BEGIN
  IF to_regnamespace(quote_ident(ours)) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', ours);
  END IF;
  FOREACH name IN ARRAY ARRAY['alembic_version', 'api_tokens', 'audit_log', 'dataset_versions', 'engine_status',
                              'gpu_leases', 'leadership', 'suspect_devices', 'training_attempts'] LOOP
    EXECUTE format('ALTER TABLE %I SET SCHEMA %I', name, ours);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['artifacts', 'dataset_items', 'datasets', 'training_events', 'training_jobs',
                              'training_metrics'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  END LOOP;
END $$
"""

# Lorry says itself when a row changed, and its tests hold it to that; the trigger is for a change made by hand.
STAMP_CHANGES_BY_HAND = """
DO $$
DECLARE
  ours text := 'lorry_' || current_schema();
BEGIN
  EXECUTE format(
    'CREATE FUNCTION %I.stamp_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '''' AS '
    '''BEGIN new.updated_at := now(); RETURN new; END''', ours);
  EXECUTE format('REVOKE ALL ON FUNCTION %I.stamp_change() FROM PUBLIC', ours);
  EXECUTE format(
    'CREATE TRIGGER stamp_change BEFORE UPDATE ON training_jobs FOR EACH ROW '
    'WHEN (old.updated_at = new.updated_at AND old.version = new.version) EXECUTE FUNCTION %I.stamp_change()', ours);
  EXECUTE format(
    'CREATE TRIGGER stamp_change BEFORE UPDATE ON datasets FOR EACH ROW '
    'WHEN (old.updated_at = new.updated_at) EXECUTE FUNCTION %I.stamp_change()', ours);
END $$
"""


def upgrade() -> None:
    with op.batch_alter_table("training_attempts") as attempts:
        attempts.add_column(sa.Column("progress", JSON, nullable=True))
    op.drop_index("ix_training_jobs_user_id_created_at", "training_jobs")
    op.create_index("ix_training_jobs_user_id_created_at_id", "training_jobs", ["user_id", "created_at", "id"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(MOVE_WHAT_IS_OURS)
        op.execute(STAMP_CHANGES_BY_HAND)
