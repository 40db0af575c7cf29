"""What a task of an engine does with the rows it refined: copies them into shared staging tables.

Each attempt has an id of its own, and nothing of it counts until the closing transaction (`closing.py`) names
it: a task may fail, be repeated, or run twice at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
import pyarrow as pa
import structlog

from coinlake.errors import Refused
from coinlake.model import CAPTURES, REJECTS, Decoded
from coinlake.refining import reject_whole
from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.keys import earliest, spans_of
from coinlake_warehouse.sides import staging
from coinlake_warehouse.staging import StagingTable, copy_batch, copy_rows, reject_rows
from coinlake_warehouse.statements import statement

ORIGIN = ("lake_id", "position", "capture_id", "source", "dataset", "slot", "received_at")
"""What the warehouse keeps of a capture: columns of all that is staged."""

_SPANS = ("uuid", "int4", "text", "text", "text", "text", "timestamptz", "timestamptz")
_REJECTS = ("uuid", "uuid", "text", "text", "text[]", "bytea")

Refine = Callable[[pa.RecordBatch], Decoded]

log = structlog.get_logger("coinlake.attempts")


class Attempt(NamedTuple):
    """One attempt to stage some captures, and how many rows of all tables it staged."""

    id: UUID
    rows: int


class Stager:
    """Stages captures and their rows on one side (`sides.py`), over a session opened when it is needed.
    For one thread."""

    def __init__(self, dsn: str, refine: Refine, side: int = 0) -> None:
        self._dsn = dsn
        self._side = side
        self._refine = refine
        self._open: Connection | None = None

    def stage(self, captures: pa.RecordBatch, unreadable: pa.RecordBatch | None = None) -> Attempt:
        """Refines captures and stages all that comes of them, or has staged nothing that counts.

        `captures` has the columns of `model.CAPTURES` and of `ORIGIN`; `unreadable`, messages that are no
        whole captures, those of `model.REJECTS` and of `ORIGIN`, lake and position null where they name none.
        A capture of which the server refuses a value is singled out and staged as one dead letter. Raises
        `TryAgain` where the server is away.
        """
        attempt = uuid4()
        with self._session() as session, session.transaction():
            rows = self._stage(session, attempt, captures) if captures.num_rows else 0
            if unreadable is not None and unreadable.num_rows:
                decoded = Decoded(rejects=unreadable.select(REJECTS.names))
                rows += self._copy(session, attempt, unreadable, decoded)
        return Attempt(attempt, rows)

    def lake_id(self) -> UUID | None:
        """The lake whose captures the warehouse takes; None while it is nobody's. Raises as `stage` does."""
        with self._session() as session:
            standing = session.execute(statement("load/position")).fetchone()
        return standing[1] if standing else None

    def close(self) -> None:
        """Ends the session; a later call opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _stage(self, session: Connection, attempt: UUID, captures: pa.RecordBatch) -> int:
        """Stages captures and their rows; how many. What the server refuses is narrowed down by halving."""
        bodies = captures.select(CAPTURES.names)
        try:
            return self._copy(session, attempt, captures, self._refine(bodies))
        except Refused as error:
            if captures.num_rows == 1:
                (capture_id,) = captures.column("capture_id").to_pylist()
                log.error("load.capture_quarantined", capture_id=capture_id, reason=str(error))
                return self._copy(
                    session, attempt, captures, reject_whole(bodies, "load", f"load_refused: {error}")
                )
        half = captures.num_rows // 2
        return sum(self._stage(session, attempt, part) for part in (captures[:half], captures[half:]))

    def _copy(self, session: Connection, attempt: UUID, captures: pa.RecordBatch, decoded: Decoded) -> int:
        # A savepoint: what is refused here leaves no trace, and the rest of the attempt stands.
        with explained(self._dsn), session.transaction():
            copy_rows(
                session,
                self._table("rejects", _REJECTS),
                ((attempt, *row) for row in reject_rows(decoded.rejects)),
            )
            for kind, rows in (
                ("captures", captures.select(ORIGIN)),
                ("candles", decoded.candles),
                ("instruments", decoded.instruments),
            ):
                copy_batch(session, staging(self._side, kind), _marked(rows, attempt))
            quotes = earliest(decoded.quotes)
            spans = self._copy_quotes(session, attempt, quotes) if quotes.num_rows else 0
        tables = (captures, quotes, decoded.candles, decoded.instruments, decoded.rejects)
        staged: int = spans + sum(table.num_rows for table in tables)
        return staged

    def _copy_quotes(self, session: Connection, attempt: UUID, quotes: pa.RecordBatch) -> int:
        """Stages quotes, one a key and in order of key, and their spans; how many spans."""
        numbered = spans_of(quotes)
        asset_of = {number: asset for number, *asset in numbered.assets}
        spans = ((attempt, number, *asset_of[asset], *rest) for number, asset, *rest in numbered.spans)
        copy_rows(session, self._table("spans", _SPANS), spans)
        marked = _marked(quotes.append_column("span", numbered.span_of), attempt)
        copy_batch(session, staging(self._side, "quotes"), marked)
        return len(numbered.spans)

    def _table(self, kind: str, types: tuple[str, ...]) -> StagingTable:
        return StagingTable(staging(self._side, kind), types)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The session, opened if there is none, or the server ended it since. After any error the next call
        does not start from it."""
        try:
            with explained(self._dsn):
                if self._open is not None and not _answers(self._open):
                    self.close()
                if self._open is None:
                    self._open = connect(self._dsn, "stage")
                yield self._open
        except BaseException:
            self.close()
            raise


def _answers(session: Connection) -> bool:
    """Whether the server still knows an idle session: one restart ends those of all workers and sides, and
    each would cost a batch of its own to find out."""
    try:
        session.execute("")
    except psycopg.OperationalError:
        return False
    return True


def _marked(rows: pa.RecordBatch, attempt: UUID) -> pa.RecordBatch:
    """The rows with the attempt before all other columns."""
    columns = [pa.repeat(str(attempt), rows.num_rows), *rows.columns]
    return pa.RecordBatch.from_arrays(columns, names=["attempt", *rows.schema.names])
