"""The warehouse on PostgreSQL: a batch's quotes, candles, dead letters and position in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self
from uuid import UUID

from coinlake.clock import Clock, SystemClock
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import Held
from coinlake.telemetry.calls import database
from coinlake.warehouse import Batch, Loaded
from coinlake_warehouse import partitions
from coinlake_warehouse.connection import Connection, connect, explained, server_name
from coinlake_warehouse.keys import earliest
from coinlake_warehouse.merge import merge_candles, merge_instruments, merge_quotes, merge_rejects
from coinlake_warehouse.record import record
from coinlake_warehouse.staging import open_staging, stage_captures, stage_rejects
from coinlake_warehouse.statements import statement


class PostgresWarehouse:
    """Loads batches (`coinlake.warehouse.Warehouse`) over one session, opened when it is first needed.

    The schema must be there (`migrations.migrate`). For one thread at a time; any number of processes.
    A replay holds only captures that were loaded, or `TryAgain` is raised.
    """

    def __init__(self, dsn: str, clock: Clock | None = None) -> None:
        self._dsn = dsn
        self._clock = clock or SystemClock()
        self._open: Connection | None = None
        self._partitions: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def position(self, lake_id: UUID) -> int:
        """How far that lake has been loaded; 0 at first. `FixConfiguration` for another lake than before."""
        with self._session() as session:
            row = session.execute(statement("load/position")).fetchone()
        return self._position_of(lake_id, row) if row else 0

    def load(self, batch: Batch, *, staged: Callable[[], None] = lambda: None) -> Loaded:
        """All of the batch, or nothing; see `coinlake.warehouse.Warehouse.load` for the errors."""
        if not batch.captures:
            raise ValueError("a batch holds at least one capture")
        with database("postgresql", "load"), self._session() as session:
            return self._load(session, batch, staged)

    def close(self) -> None:
        """Ends the session; a later call opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _load(self, session: Connection, batch: Batch, staged: Callable[[], None]) -> Loaded:
        quotes = earliest(batch.decoded.quotes)
        months = partitions.missing(quotes.column("as_of"), self._partitions)
        # All hangs on one commit, at the end of this block. Until then, in this order:
        with session.transaction():
            # 1. The position is locked: loaders queue here, so that what they write never crosses.
            self._lock_position(session, batch)
            # 2. Months seen for the first time get their partitions.
            partitions.make(session, months)
            # 3. Its captures and what was refused of them are copied into temporary tables.
            stage_captures(session, batch.captures)
            stage_rejects(session, batch.decoded.rejects)
            # 4. Quotes are written; the latest quotes and candles they touch are made again.
            written = merge_quotes(session, quotes)
            # 5. Venues' own candles and instruments are written.
            venue_candles = merge_candles(session, batch.decoded.candles)
            instruments = merge_instruments(session, batch.decoded.instruments)
            # 6. Dead letters are kept, or resolved.
            now = self._clock.now()
            rejects = merge_rejects(session, now)
            # 7. The position moves (but not for a replay), and the batch goes on record.
            if batch.kind == "tail":
                session.execute(statement("load/move_position"))
            counts = {
                "quotes_read": quotes.num_rows,
                "quotes_new": written.quotes,
                "rejects": rejects,
                "candles": written.candles,
                "venue_candles": venue_candles,
                "instruments": instruments,
            }
            loaded = record(
                session,
                kind=batch.kind,
                started_at=batch.started_at,
                now=now,
                traceparent=batch.traceparent,
                **counts,
            )
            # 8. Whoever watches hears that nothing is missing but the commit.
            staged()
        self._partitions.update(map(partitions.name, months))
        return loaded

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The session, opened if there is none. After any error the next call does not start from it."""
        try:
            with explained(self._dsn):
                if self._open is None:
                    self._open = connect(self._dsn, "load")
                    open_staging(self._open)
                    self._partitions = partitions.present(self._open)
                yield self._open
        except BaseException:
            self.close()
            raise

    def _lock_position(self, session: Connection, batch: Batch) -> None:
        session.execute(statement("load/first_position"), {"lake_id": batch.lake_id})
        row = session.execute(statement("load/lock_position")).fetchone()
        assert row is not None
        position = self._position_of(batch.lake_id, row)
        at = f"The warehouse {server_name(self._dsn)} stands at position {position} of the lake"
        if batch.kind == "tail" and batch.after != position:
            raise TryAgain(
                f"{at}, but the batch begins behind {batch.after}: another program has loaded since. "
                f"Go on from {position}."
            )
        # Captures that came by the bus may be loaded behind a hole, where the position stays.
        behind = [held for held in batch.captures if held.position > position]
        if batch.kind == "replay" and (first := _not_loaded(session, behind)):
            raise TryAgain(f"{at}: capture {first} can be replayed once it has been loaded.")

    def _position_of(self, lake_id: UUID, row: tuple[int, UUID]) -> int:
        position, loaded_from = row
        if loaded_from != lake_id:
            raise FixConfiguration(
                f"The warehouse {server_name(self._dsn)} was loaded from lake {loaded_from}, and this is "
                f"lake {lake_id}: their histories must not mix. Use the other lake, or another warehouse."
            )
        return position


def _not_loaded(session: Connection, captures: Sequence[Held]) -> int | None:
    """The first position of captures that are not on record as loaded."""
    named = {
        "positions": [held.position for held in captures],
        "capture_ids": [held.capture.id for held in captures],
    }
    row = session.execute(statement("load/not_loaded"), named).fetchone()
    return int(row[0]) if row else None
