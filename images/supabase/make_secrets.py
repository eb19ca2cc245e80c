"""Secrets of a Supabase of one's own: `python images/supabase/make_secrets.py secrets`, once.

Writes the variables of its services, the database's password and Lorry's secret key as files that only their owner's
folder opens, and prints the publishable key. What is there already is left as it is.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

import jwt

_YEARS = 10
_SECONDS_A_YEAR = 365 * 24 * 3600


def main(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    variables = folder / "supabase.env"
    if variables.exists():
        raise SystemExit(f"{variables} is there already; remove it to begin anew, which locks out what uses it.")
    password, secret = secrets.token_hex(24), secrets.token_hex(32)
    anon, service = (_api_key(secret, role) for role in ("anon", "service_role"))
    _write(folder / "database_password", password)
    _write(folder / "supabase_secret_key", service)
    _write(variables, _variables(password, secret, anon, service))
    print(f"LORRY_SUPABASE_PUBLISHABLE_KEY={anon}")


def _api_key(secret: str, role: str) -> str:
    now = int(time.time())
    claims = {"iss": "supabase", "role": role, "iat": now, "exp": now + _YEARS * _SECONDS_A_YEAR}
    return jwt.encode(claims, secret, "HS256")


def _variables(password: str, secret: str, anon: str, service: str) -> str:
    """What each service calls the same few things."""

    def address(role: str) -> str:
        return f"postgres://{role}:{password}@supabase-db:5432/postgres"

    named = {
        "POSTGRES_PASSWORD": password,
        "PGRST_DB_URI": address("authenticator"),
        "PGRST_JWT_SECRET": secret,
        "GOTRUE_DB_DATABASE_URL": address("supabase_auth_admin"),
        "GOTRUE_JWT_SECRET": secret,
        "DATABASE_URL": address("supabase_storage_admin"),
        "AUTH_JWT_SECRET": secret,
        "ANON_KEY": anon,
        "SERVICE_KEY": service,
    }
    return "\n".join(f"{name}={value}" for name, value in named.items())


def _write(path: Path, text: str) -> None:
    """Readable by the services' users; the folder around it is not."""
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
