"""What the database advisor of a Supabase project looks for, asked of the catalogue. No row is the right answer.

Written from the descriptions at supabase.com/docs/guides/database/database-advisors, whose numbers they carry.
"""
# ruff: noqa: S608 - the only words that are put in are the next constant

from __future__ import annotations

# Lorry's are the exposed schema and its own; what a project brings along is not ours to judge.
_OURS = "('public', 'lorry_public')"

LINTS = {
    "0001 unindexed foreign keys": f"""
        SELECT conrelid::regclass, conname FROM pg_constraint AS c
        WHERE contype = 'f' AND connamespace::regnamespace::text IN {_OURS} AND NOT EXISTS (
            SELECT FROM pg_index AS i
            WHERE i.indrelid = c.conrelid AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] = c.conkey)
    """,
    "0003 a function of auth is called for each row": """
        SELECT tablename, policyname FROM pg_policies
        WHERE regexp_replace(lower(coalesce(qual, '') || coalesce(with_check, '')),
          'select auth\\.(uid|role|jwt)\\(\\)', '', 'g') ~ 'auth\\.(uid|role|jwt)\\(\\)'
    """,
    "0004 no primary key": f"""
        SELECT c.oid::regclass FROM pg_class AS c
        WHERE relkind = 'r' AND relnamespace::regnamespace::text IN {_OURS}
          AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)
    """,
    "0006 several permissive policies for one action": """
        SELECT tablename, cmd, role FROM pg_policies, unnest(roles) AS role
        WHERE permissive = 'PERMISSIVE' GROUP BY tablename, cmd, role HAVING count(*) > 1
    """,
    "0007 policies without row level security": """
        SELECT DISTINCT polrelid::regclass FROM pg_policy JOIN pg_class AS c ON c.oid = polrelid
        WHERE NOT c.relrowsecurity
    """,
    "0008 row level security without a policy": f"""
        SELECT c.oid::regclass FROM pg_class AS c
        WHERE relrowsecurity AND relnamespace::regnamespace::text IN {_OURS}
          AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)
    """,
    "0009 two indexes that are the same": f"""
        SELECT tablename, array_agg(indexname) FROM pg_indexes WHERE schemaname IN {_OURS}
        GROUP BY tablename, regexp_replace(indexdef, ' INDEX \\S+ ON ', ' ON ') HAVING count(*) > 1
    """,
    "0011 a function whose search_path can be changed": f"""
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace::regnamespace::text IN {_OURS}
          AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%')
    """,
    "0013 no row level security in an exposed schema": """
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND NOT rowsecurity
    """,
    "0015 a policy trusts what users write about themselves": """
        SELECT tablename FROM pg_policies WHERE coalesce(qual, '') || coalesce(with_check, '') ~ 'user_metadata'
    """,
    "0021 a foreign key to a unique column of auth": f"""
        SELECT conrelid::regclass FROM pg_constraint AS c
        WHERE contype = 'f' AND connamespace::regnamespace::text IN {_OURS} AND confrelid::regclass::text LIKE 'auth.%'
          AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = c.conindid AND indisprimary)
    """,
    "0024 a policy that lets everybody write": """
        SELECT tablename FROM pg_policies
        WHERE cmd <> 'SELECT' AND coalesce(with_check, qual) IN ('true', '(true)', '1=1')
    """,
    "0028 a function that runs with its owner's rights": f"""
        SELECT oid::regprocedure FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text IN {_OURS}
    """,
}
