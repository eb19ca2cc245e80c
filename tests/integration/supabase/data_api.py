"""The part of PostgREST that supabase-py asks of for `select`: real roles and policies, its own errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import jwt
import psycopg
from psycopg import sql

from tests.integration.supabase.signer import Signer

_OPERATORS = {"eq": sql.SQL("="), "neq": sql.SQL("<>"), "gte": sql.SQL(">="), "lte": sql.SQL("<=")}
_NOT_FILTERS = {"select", "order", "limit", "offset"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any  # bytes as they are, anything else as JSON
    headers: tuple[tuple[str, str], ...] = ()
    cut_at: int | None = None  # the connection is lost after so many bytes of the body


@dataclass(frozen=True)
class DataApi:
    """`url` logs in as `authenticator`, which may become anybody."""

    url: str
    signer: Signer

    def select(self, table: str, query: list[tuple[str, str]], *, bearer: str, role_of_key: str | None) -> Answer:
        """`role_of_key` is set when the bearer is no token but the project's key."""
        try:
            claims = {"role": role_of_key} if role_of_key else self.signer.opened(bearer)
        except jwt.ExpiredSignatureError:
            return _error(401, "PGRST303", "JWT expired")
        except jwt.PyJWTError:
            return _error(401, "PGRST301", "No suitable key or wrong key type")
        role = claims.get("role", "anon")
        try:
            return Answer(200, self._rows(table, query, role, claims))
        except psycopg.errors.UndefinedTable:
            return _error(404, "PGRST205", f"Could not find the table 'public.{table}' in the schema cache")
        except psycopg.Error as error:
            return _error(_status_of(error, role), str(error.sqlstate), str(error).split("\n")[0])

    def _rows(self, table: str, query: list[tuple[str, str]], role: str, claims: dict[str, Any]) -> Any:
        wanted = dict(query)
        conditions = [_condition(name, value) for name, value in query if name not in _NOT_FILTERS]
        statement = sql.SQL(
            "SELECT coalesce(json_agg(row_to_json(found)), '[]') FROM (SELECT {} FROM public.{}"
        ).format(_columns(wanted.get("select", "*")), sql.Identifier(table))
        if conditions:
            statement += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions)
        if "order" in wanted:
            statement += sql.SQL(" ORDER BY ") + _order(wanted["order"])
        for word in ("limit", "offset"):
            if word in wanted:
                statement += sql.SQL(f" {word} ") + sql.Literal(int(wanted[word]))
        with psycopg.connect(self.url) as connection:
            connection.read_only = True
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
            row = connection.execute(statement + sql.SQL(") AS found")).fetchone()
            assert row is not None
            return row[0]


def _columns(listed: str) -> sql.Composable:
    if listed == "*":
        return sql.SQL("*")
    return sql.SQL(", ").join(sql.Identifier(name.strip()) for name in listed.split(","))


def _condition(column: str, value: str) -> sql.Composable:
    operator, _, operand = value.partition(".")
    if operator == "is" and operand == "null":
        return sql.SQL("{} IS NULL").format(sql.Identifier(column))
    return sql.SQL("{} {} {}").format(sql.Identifier(column), _OPERATORS[operator], sql.Literal(operand))


def _order(value: str) -> sql.Composable:
    column, _, direction = value.partition(".")
    return sql.Identifier(column) + sql.SQL(" DESC" if direction == "desc" else " ASC")


def _status_of(error: psycopg.Error, role: str) -> int:
    if error.sqlstate == "42501":
        return HTTPStatus.UNAUTHORIZED if role == "anon" else HTTPStatus.FORBIDDEN
    return HTTPStatus.BAD_REQUEST


def _error(status: int, code: str, message: str) -> Answer:
    body = {"code": code, "message": message, "details": None, "hint": None}
    return Answer(status, body, (("Proxy-Status", f"PostgREST; error={code}"),))
