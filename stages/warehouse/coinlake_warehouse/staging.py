"""From Arrow to PostgreSQL: a batch copied into the session's temporary tables.

Amounts stay text until the server reads them into NUMERIC. Null travels as nothing, an empty text as "".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg import sql

from coinlake.model import QUOTE_KEY, QUOTES, Held
from coinlake_warehouse.connection import Connection
from coinlake_warehouse.statements import statement

_CHUNK_ROWS = 2_000
"""Rows rendered at a time, about a megabyte: the server reads one chunk while we render the next."""

_CSV = pyarrow.csv.WriteOptions(include_header=False, batch_size=_CHUNK_ROWS)

_COPY_QUOTES = sql.SQL("COPY staged_quotes ({}) FROM STDIN (FORMAT csv)").format(
    sql.SQL(", ").join(map(sql.Identifier, QUOTES.names))
)

_CAPTURE_TYPES = ("int8", "uuid", "text", "text", "timestamptz", "timestamptz")
_REJECT_TYPES = ("uuid", "text", "text", "text[]", "bytea")


def open_staging(connection: Connection) -> None:
    """Makes the session's staging tables; each commit empties them."""
    connection.execute(statement("load/session"))


def earliest(quotes: pa.RecordBatch) -> pa.RecordBatch:
    """Of each key the row that was received first, in order of key.

    Sorted rows also cost the server's index the least.
    """
    order = [(name, "ascending") for name in (*QUOTE_KEY, "fetched_at", "capture_id", "path")]
    ordered = quotes.take(pc.sort_indices(quotes, sort_keys=order))
    if ordered.num_rows < 2:
        return ordered
    key_begins = pa.array([False] * (ordered.num_rows - 1))
    for name in QUOTE_KEY:
        column = ordered.column(name)
        # A null differs from all, so that the server sees and refuses it.
        differs = pc.fill_null(pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)), True)
        key_begins = pc.or_(key_begins, differs)
    return ordered.filter(pa.concat_arrays([pa.array([True]), key_begins]))


def stage(
    connection: Connection, captures: Sequence[Held], quotes: pa.RecordBatch, rejects: pa.RecordBatch
) -> None:
    """Copies a batch, its quotes one a key, in the transaction at hand."""
    _copy_rows(connection, "staged_captures", _CAPTURE_TYPES, map(_capture_row, captures))
    with connection.cursor() as cursor, cursor.copy(_COPY_QUOTES) as copy:
        for start in range(0, quotes.num_rows, _CHUNK_ROWS):
            rendered = pa.BufferOutputStream()
            pyarrow.csv.write_csv(quotes.slice(start, _CHUNK_ROWS), rendered, _CSV)
            copy.write(rendered.getvalue())
    # One at a time: the originals can be large.
    rows = (rejects.slice(row, 1).to_pylist()[0] for row in range(rejects.num_rows))
    _copy_rows(connection, "staged_rejects", _REJECT_TYPES, map(_reject_row, rows))


def _copy_rows(
    connection: Connection, table: str, types: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    copy_in = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        copy.set_types(types)
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


def _reject_row(reject: dict[str, Any]) -> tuple[Any, ...]:
    return (
        UUID(reject["capture_id"]),
        reject["path"],
        reject["stage"],
        reject["reasons"],
        reject["original"],
    )
