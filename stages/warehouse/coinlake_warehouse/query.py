"""A person's SQL: one statement, read-only, its rows as exact Arrow batches.

Whatever Arrow has no exact type for, numerics first of all, stays the text that PostgreSQL prints.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.types.string import TextLoader

from coinlake.errors import Refused
from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.statements import statement

TIMEOUT_S = 300.0
_CHUNK_ROWS = 5_000

_ARROW_TYPES: dict[int, pa.DataType] = {
    psycopg.adapters.types[name].oid: arrow
    for name, arrow in {
        "bool": pa.bool_(),
        "int2": pa.int16(),
        "int4": pa.int32(),
        "int8": pa.int64(),
        "float4": pa.float32(),
        "float8": pa.float64(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "timestamp": pa.timestamp("us"),
        "date": pa.date32(),
        "bytea": pa.binary(),
    }.items()
}

_OURS = ("08", "53", "57P")
"""Codes of errors that are no fault of the SQL."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a query: numerics, uuids, JSON, arrays, intervals as text. Some statements have no columns."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    """To be read once, while the query is open."""


@contextmanager
def query(dsn: str, text: str, *, limit: int | None = None, timeout_s: float = TIMEOUT_S) -> Iterator[Answer]:
    """Runs one statement that can change nothing, as `coinlake_reader` where that role can be put on.

    At most `limit` rows come, without loading all at once. Raises `Refused` with PostgreSQL's own words and
    the place in the text where the statement is wrong, refused or takes longer than `timeout_s`; and for
    moments outside the years 1 to 9999, infinity among them.
    """
    with explained(dsn), connect(dsn, "query") as session:
        _only_read(session, timeout_s)
        with _faults_of(text), session.cursor() as cursor:
            schema = _schema(session, text)
            if not schema.names:
                cursor.execute(text.encode())
                yield Answer(schema, iter(()))
                return
            rows = cast(
                "Generator[tuple[Any, ...], None, None]", cursor.stream(text.encode(), size=_CHUNK_ROWS)
            )
            with closing(rows):  # which cancels what nobody has read
                yield Answer(schema, _batches(schema, islice(rows, limit)))


def _only_read(session: Connection, timeout_s: float) -> None:
    for kind in psycopg.adapters.types:
        if kind.oid not in _ARROW_TYPES:
            session.adapters.register_loader(kind.oid, TextLoader)
        session.adapters.register_loader(kind.array_oid, TextLoader)
    session.execute("BEGIN READ ONLY")
    # Once a transaction has answered anything, nothing can make it write any more.
    reader = session.execute(statement("rights/role_to_put_on")).fetchone()
    if reader:
        session.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(*reader)))
    session.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(round(timeout_s * 1000)))


def _schema(session: Connection, text: str) -> pa.Schema:
    """The columns that a statement will give; by this protocol there can be only one statement."""
    server = session.pgconn
    for said in (server.prepare(b"", text.encode()), described := server.describe_prepared(b"")):
        if said.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(said)
    return pa.schema(
        [
            ((described.fname(place) or b"").decode(), _ARROW_TYPES.get(described.ftype(place), pa.string()))
            for place in range(described.nfields)
        ]
    )


def _batches(schema: pa.Schema, rows: Iterator[Sequence[Any]]) -> Iterator[pa.RecordBatch]:
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        columns = zip(*chunk, strict=True)
        yield pa.record_batch(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
            schema=schema,
        )


@contextmanager
def _faults_of(text: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is None and isinstance(error, psycopg.DataError):  # met here, not by the server
            raise Refused(
                f"A value of the answer cannot be given: {error}. Cast its column to text, as in as_of::text."
            ) from error
        if error.sqlstate is None or error.sqlstate.startswith(_OURS):
            raise
        raise Refused(_explanation(error.diag, text)) from error


def _explanation(said: psycopg.errors.Diagnostic, text: str) -> str:
    place = ""
    if said.statement_position:
        before = text[: int(said.statement_position) - 1]
        line = before.count("\n") + 1
        place = f" (line {line}, character {len(before) - before.rfind(chr(10))})"
    more = "".join(f"\n{part}" for part in (said.message_detail, said.message_hint) if part)
    return f"The query does not run: {said.message_primary}{place}.{more}"
