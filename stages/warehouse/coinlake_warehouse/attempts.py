"""What a task of an engine does with the rows it refined: copies them into shared staging tables.

Each attempt has an id of its own, and nothing of it counts until the closing transaction (`closing.py`) names
it: a task may fail, be repeated, or run twice at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pyarrow as pa
import structlog

from coinlake.errors import Refused
from coinlake.model import Decoded, Held, capture_batch
from coinlake.refining import reject_whole
from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.staging import StagingTable, capture_row, copy_batch, copy_rows, reject_rows

log = structlog.get_logger("coinlake.attempts")

Refine = Callable[[pa.RecordBatch], Decoded]

_CAPTURES = StagingTable(
    "staging_captures", ("uuid", "uuid", "int8", "uuid", "text", "text", "timestamptz", "timestamptz")
)
_REJECTS = StagingTable("staging_rejects", ("uuid", "uuid", "text", "text", "text[]", "bytea"))


class Attempt(NamedTuple):
    """One attempt to stage some captures, and how many rows of all tables it staged."""

    id: UUID
    rows: int


class Stager:
    """Stages captures and their rows over one session, opened when it is first needed. For one thread."""

    def __init__(self, dsn: str, refine: Refine) -> None:
        self._dsn = dsn
        self._refine = refine
        self._open: Connection | None = None

    def stage(self, lake_id: UUID, captures: Sequence[Held]) -> Attempt:
        """Refines captures and stages all that comes of them, or raises and has staged nothing that counts.

        A capture of which the server refuses a value is singled out and staged as one dead letter. Raises
        `TryAgain` where the server is away.
        """
        attempt = uuid4()
        with self._session() as session, session.transaction():
            return Attempt(attempt, self._stage(session, attempt, lake_id, captures))

    def close(self) -> None:
        """Ends the session; a later call opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _stage(self, session: Connection, attempt: UUID, lake_id: UUID, captures: Sequence[Held]) -> int:
        """Stages captures and their rows; how many. What the server refuses is narrowed down by halving."""
        batch = capture_batch(held.capture for held in captures)
        try:
            return self._copy(session, attempt, lake_id, captures, self._refine(batch))
        except Refused as error:
            if len(captures) == 1:
                capture = captures[0].capture
                log.error("load.capture_quarantined", capture_id=str(capture.id), reason=str(error))
                refused = reject_whole(batch, "load", f"load_refused: {error}")
                return self._copy(session, attempt, lake_id, captures, refused)
        half = len(captures) // 2
        halves = (captures[:half], captures[half:])
        return sum(self._stage(session, attempt, lake_id, part) for part in halves)

    def _copy(
        self, session: Connection, attempt: UUID, lake_id: UUID, captures: Sequence[Held], decoded: Decoded
    ) -> int:
        # A savepoint: what is refused here leaves no trace, and the rest of the attempt stands.
        with explained(self._dsn), session.transaction():
            copy_rows(session, _CAPTURES, ((attempt, lake_id, *capture_row(held)) for held in captures))
            copy_rows(session, _REJECTS, ((attempt, *row) for row in reject_rows(decoded.rejects)))
            copy_batch(session, "staging_quotes", _marked(decoded.quotes, attempt))
            copy_batch(session, "staging_candles", _marked(decoded.candles, attempt))
            copy_batch(session, "staging_instruments", _marked(decoded.instruments, attempt))
        rows: int = len(captures) + sum(table.num_rows for table in decoded)
        return rows

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The session, opened if there is none. After any error the next call does not start from it."""
        try:
            with explained(self._dsn):
                if self._open is None:
                    self._open = connect(self._dsn, "stage")
                yield self._open
        except BaseException:
            self.close()
            raise


def _marked(rows: pa.RecordBatch, attempt: UUID) -> pa.RecordBatch:
    """The rows with the attempt before all other columns."""
    mark: pa.Array = pa.repeat(str(attempt), rows.num_rows)
    columns: list[Any] = [mark, *rows.columns]
    return pa.RecordBatch.from_arrays(columns, names=["attempt", *rows.schema.names])
