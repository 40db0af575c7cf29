"""From Arrow to PostgreSQL, by COPY: into the session's temporary tables, or where rows go at once.

Amounts stay text until the server reads them into NUMERIC. Null travels as nothing, an empty text as "".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from coinlake.model import Held
from coinlake_warehouse.connection import Connection
from coinlake_warehouse.statements import statement

_CHUNK_ROWS = 2_000
"""Rows rendered at a time, about a megabyte: the server reads one chunk while we render the next."""

_CSV = pyarrow.csv.WriteOptions(include_header=False, batch_size=_CHUNK_ROWS)


class StagingTable(NamedTuple):
    """A temporary table (of `load/session.sql`) that is filled row by row."""

    name: str
    types: tuple[str, ...]


CAPTURES = StagingTable("staged_captures", ("int8", "uuid", "text", "text", "timestamptz", "timestamptz"))
REJECTS = StagingTable("staged_rejects", ("uuid", "text", "text", "text[]", "bytea"))
ASSETS = StagingTable("staged_assets", ("int4", "text", "text", "text"))
SPANS = StagingTable("staged_spans", ("int4", "int4", "text", "timestamptz", "timestamptz", "uuid"))


def open_staging(connection: Connection) -> None:
    """Makes the session's staging tables; each commit empties them."""
    connection.execute(statement("load/session"))


def stage_captures(connection: Connection, captures: Sequence[Held]) -> None:
    """Copies what rows need to know of their captures."""
    copy_rows(connection, CAPTURES, map(_capture_row, captures))


def stage_rejects(connection: Connection, rejects: pa.RecordBatch) -> None:
    """Copies rows of `model.REJECTS`."""
    copy_rows(connection, REJECTS, reject_rows(rejects))


def copy_batch(connection: Connection, table: str, rows: pa.RecordBatch) -> None:
    """Copies Arrow rows into a table that has columns of their names."""
    if not rows.num_rows:
        return
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows.schema.names))
    )
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for start in range(0, rows.num_rows, _CHUNK_ROWS):
            rendered = pa.BufferOutputStream()
            pyarrow.csv.write_csv(rows.slice(start, _CHUNK_ROWS), rendered, _CSV)
            copy.write(rendered.getvalue())


def copy_rows(connection: Connection, table: StagingTable, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copies rows into a staging table."""
    copy_in = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table.name))
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        copy.set_types(table.types)
        for row in rows:
            copy.write_row(row)


def _capture_row(held: Held) -> tuple[Any, ...]:
    capture = held.capture
    return (
        held.position,
        capture.id,
        capture.source,
        capture.dataset,
        capture.slot,
        capture.received_at,
    )


def reject_rows(rejects: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Rejects as `staged_rejects` has them, one at a time: their originals can be large."""
    for place in range(rejects.num_rows):
        (reject,) = rejects.slice(place, 1).to_pylist()
        yield (
            UUID(reject["capture_id"]),
            reject["path"],
            reject["stage"],
            reject["reasons"],
            reject["original"],
        )
