-- What a user of a Supabase project may see of Lorry's tables through the Data API and Realtime: their own rows, and
-- nothing they could write. Run after every migration; what is there already is left as it is.
DO $$
DECLARE
  ours constant text := 'lorry_' || current_schema();
  mine constant text := '(SELECT auth.uid())::text = user_id';
  of_my_job constant text := 'IN (SELECT id FROM training_jobs WHERE ' || mine || ')';
  rule record;
BEGIN
  IF to_regprocedure('auth.uid()') IS NULL OR to_regrole('anon') IS NULL OR to_regrole('authenticated') IS NULL
      OR to_regrole('service_role') IS NULL THEN
    RAISE NOTICE 'Not a Supabase database: it lacks auth.uid() or one of the roles anon, authenticated, service_role. Policies, grants and the publication for Realtime are left out; run `lorry migrate` again when it has them.';
    RETURN;
  END IF;
  FOR rule IN
    SELECT * FROM (VALUES
      ('training_jobs', mine || ' AND deleted_at IS NULL'),
      ('training_metrics', 'run_id ' || of_my_job),
      ('training_events', 'job_id ' || of_my_job),
      ('artifacts', 'job_id ' || of_my_job),
      ('datasets', mine),
      ('dataset_items', 'dataset_id IN (SELECT id FROM datasets WHERE ' || mine || ')')
    ) AS rules (table_name, condition)
  LOOP
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_policies
      WHERE schemaname = current_schema() AND tablename = rule.table_name AND policyname = 'owner reads');
    EXECUTE format('REVOKE ALL ON %I FROM anon, authenticated, service_role', rule.table_name);
    EXECUTE format('GRANT SELECT ON %I TO authenticated, service_role', rule.table_name);
    EXECUTE format(
      'CREATE POLICY "owner reads" ON %I FOR SELECT TO authenticated USING (%s)',
      rule.table_name, rule.condition);
  END LOOP;
  -- Older projects grant everything on every new table of `public`; what was made there took that along.
  IF has_sequence_privilege('anon', 'training_events_id_seq', 'usage') THEN
    REVOKE ALL ON SEQUENCE training_events_id_seq FROM anon, authenticated, service_role;
  END IF;
  IF has_table_privilege('anon', 'api_tokens', 'select') THEN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM anon, authenticated, service_role', ours);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM anon, authenticated, service_role', ours);
  END IF;
  IF EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime' AND NOT puballtables) AND NOT EXISTS (
      SELECT FROM pg_publication_tables
      WHERE pubname = 'supabase_realtime' AND schemaname = current_schema() AND tablename = 'training_jobs') THEN
    BEGIN
      ALTER PUBLICATION supabase_realtime ADD TABLE training_jobs;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE NOTICE 'training_jobs is not published for Realtime: %. Run as the owner of the publication: ALTER PUBLICATION supabase_realtime ADD TABLE %.training_jobs;',
        SQLERRM, current_schema();
    END;
  END IF;
END $$
