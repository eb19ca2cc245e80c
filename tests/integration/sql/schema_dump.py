"""A Postgres schema as text: what pg_dump would say, without what differs from one version of Postgres to the next."""
# ruff: noqa: S608 - the only words that are put in are the next constant

from __future__ import annotations

import psycopg

_OURS = "('public', 'lorry_public')"

# One line each, and each with the object it belongs to in front, so that sorting puts together what belongs together.
QUERIES = (
    f"""
    SELECT format('TABLE %s.%s', schemaname, tablename)
      || CASE WHEN rowsecurity THEN ' ROW LEVEL SECURITY' ELSE '' END
    FROM pg_tables WHERE schemaname IN {_OURS}
    """,
    f"""
    SELECT format('TABLE %s.%s COLUMN %s %s%s%s', table_schema, table_name, column_name, coalesce(
        data_type || '(' || character_maximum_length || ')', data_type),
      CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END, coalesce(' DEFAULT ' || column_default, ''))
    FROM information_schema.columns WHERE table_schema IN {_OURS}
    """,
    f"""
    SELECT format('TABLE %s CONSTRAINT %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace::regnamespace::text IN {_OURS} AND contype IN ('c', 'f', 'p', 'u')
    """,
    f"SELECT format('TABLE %s.%s %s', schemaname, tablename, indexdef) FROM pg_indexes WHERE schemaname IN {_OURS}",
    f"""
    SELECT format('TABLE %s %s', tgrelid::regclass, pg_get_triggerdef(oid))
    FROM pg_trigger WHERE NOT tgisinternal AND (
      SELECT relnamespace::regnamespace::text FROM pg_class WHERE pg_class.oid = tgrelid) IN {_OURS}
    """,
    f"""
    SELECT format('FUNCTION %s%s %s', oid::regprocedure, E'\n' || pg_get_functiondef(oid), proacl)
    FROM pg_proc WHERE pronamespace::regnamespace::text IN {_OURS}
    """,
    f"""
    SELECT format('TABLE %s.%s POLICY %s FOR %s TO %s USING %s CHECK %s', schemaname, tablename, policyname, cmd,
      roles, regexp_replace(qual, '\\s+', ' ', 'g'), with_check)
    FROM pg_policies WHERE schemaname IN {_OURS}
    """,
    f"""
    SELECT format('TABLE %s.%s GRANT %s TO %s', table_schema, table_name,
      string_agg(privilege_type, ', ' ORDER BY privilege_type), grantee)
    FROM information_schema.role_table_grants WHERE table_schema IN {_OURS} AND grantee <> 'lorry'
    GROUP BY table_schema, table_name, grantee
    """,
    f"""
    SELECT format('SCHEMA %s USAGE BY %s', nspname, rolname) FROM pg_namespace, pg_roles
    WHERE nspname IN {_OURS} AND rolname IN ('anon', 'authenticated', 'service_role')
      AND has_schema_privilege(rolname, nspname, 'usage')
    """,
    f"""
    SELECT format('PUBLICATION %s %s.%s', pubname, schemaname, tablename)
    FROM pg_publication_tables WHERE schemaname IN {_OURS}
    """,
)


def schema_dump(url: str) -> str:
    """Every table, column, constraint, index, trigger, function, policy, grant and publication, sorted."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path TO ''")  # every name is written in full
        lines = [line for query in QUERIES for (line,) in connection.execute(query)]
    return "\n".join(sorted(lines)) + "\n"
