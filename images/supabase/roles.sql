-- Supabase's Postgres comes with these roles and without their passwords.
\set password `echo "$POSTGRES_PASSWORD"`
ALTER ROLE authenticator PASSWORD :'password';
ALTER ROLE supabase_auth_admin PASSWORD :'password';
ALTER ROLE supabase_storage_admin PASSWORD :'password';
