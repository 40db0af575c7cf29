"""The closing transaction of a batch from the bus: rows that tasks have staged become quotes, candles, dead
letters, and the offsets move with them.

Order of commits, which is what makes a crash anywhere harmless:
  1. tasks stage the rows of a batch, each attempt under its own id (`attempts.py`);
  2. one transaction takes over the attempts that succeeded and moves the offsets of their partitions;
  3. nothing else remembers how far loading got: whoever starts reads `bus_offsets` and goes on from there.
A crash before 2 repeats the batch, and loading is idempotent. While 2 is done for a batch, 1 may be done for
the next, on the other side (`sides.py`); 2 is for one batch at a time, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg import sql

from coinlake.clock import Clock, SystemClock
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.lake import ANOTHER_LAKE
from coinlake.model import CANDLES, INSTRUMENTS
from coinlake.telemetry.calls import database
from coinlake.warehouse import Loaded
from coinlake_warehouse import partitions
from coinlake_warehouse.attempts import Attempt
from coinlake_warehouse.connection import Connection, connect, explained, server_name
from coinlake_warehouse.merge import (
    Period,
    Written,
    merge_attempted_quotes,
    merge_rejects,
    merge_staged_candles,
    merge_staged_instruments,
)
from coinlake_warehouse.record import record
from coinlake_warehouse.sides import SIDES, Taken, staging, statement_on
from coinlake_warehouse.staging import open_staging
from coinlake_warehouse.statements import statement

_LEADER = 0x4C6F61642062757A
"""Key of the advisory lock: whoever holds it loads from the bus."""

log = structlog.get_logger("coinlake.load")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as its broker knows it: made again under the same name it has another id."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets [first, next) of a partition."""

    partition: int
    first: int
    next: int


class BusLoader:
    """Loads staged batches over one session, opened when it is first needed. For one thread at a time.

    Of several loaders one leads; the calls of the others raise `TryAgain`, and lead once it is gone.
    """

    def __init__(self, dsn: str, topic: Topic, clock: Clock | None = None) -> None:
        self._dsn = dsn
        self._topic = topic
        self._clock = clock or SystemClock()
        self._open: Connection | None = None
        self._partitions: set[str] = set()

    def offsets(self) -> Mapping[int, int]:
        """The next offset to load of each partition that was ever loaded of this topic."""
        with self._session() as session:
            return _offsets(session, self._topic)

    def begin(self) -> None:
        """Empties the staging tables of both sides: called before the tasks of the first batch begin."""
        with self._session() as session:
            for side in range(SIDES):
                session.execute(statement_on(side, "attempts/empty"))

    def skip(self, gone: Stretch) -> None:
        """Moves a partition's offset over messages that the topic no longer has."""
        with self._session() as session:
            _move_offset(session, self._topic, gone)

    def load(
        self,
        attempts: Sequence[Attempt],
        stretches: Sequence[Stretch],
        *,
        started_at: datetime,
        traceparent: str,
        side: int = 0,
        staged: Callable[[], None] = lambda: None,
    ) -> Loaded | None:
        """All that the attempts staged on a side, the offsets and the batch record, in one transaction. Then
        the side is emptied, for the batch after the next.

        None where the batch had been loaded before. `staged` is called when all is written and nothing
        committed. Raises `TryAgain` when the server is away, lost what was staged, or stands at other
        offsets than the batch begins at (read them and go on from there), and `FixConfiguration` for a topic
        that begins with nothing but captures of another lake.
        """
        with database("postgresql", "load"), self._session() as session:
            taken = Taken(session, side, [attempt.id for attempt in attempts])
            loaded = None
            if not self._is_loaded(session, stretches):
                self._look_at_lakes(taken)
                with session.transaction():
                    loaded, months = self._load(taken, attempts, stretches, started_at, traceparent)
                    staged()
                self._partitions.update(map(partitions.name, months))
            taken.ask("attempts/empty")
        return loaded

    def close(self) -> None:
        """Ends the session, and the lead with it; a later call opens another."""
        if self._open is not None:
            with suppress(psycopg.Error):  # of a session that is gone, the server frees the lead by itself
                self._open.execute("SELECT pg_advisory_unlock_all()")
            self._open.close()
            self._open = None

    def _is_loaded(self, session: Connection, stretches: Sequence[Stretch]) -> bool:
        """Whether the whole batch stands in the warehouse. `TryAgain` where what is before it does not."""
        standing = _offsets(session, self._topic)
        for stretch in stretches:
            stands_at = standing.get(stretch.partition)
            if stands_at is not None and stands_at < stretch.first:
                raise TryAgain(
                    f"The warehouse {server_name(self._dsn)} stands at offset {stands_at} of partition "
                    f"{stretch.partition} of {self._topic.name}, but the batch begins at {stretch.first}: "
                    "what lies between was not loaded. Go on from the warehouse's offset."
                )
        return all(standing.get(stretch.partition, -1) >= stretch.next for stretch in stretches)

    def _load(
        self,
        taken: Taken,
        attempts: Sequence[Attempt],
        stretches: Sequence[Stretch],
        started_at: datetime,
        traceparent: str,
    ) -> tuple[Loaded, list[datetime]]:
        session = taken.session
        # 1. The position is locked: loaders queue here, so that what they write never crosses.
        self._lock_position(taken)
        # 2. What was staged is there, all of it.
        self._count(taken, attempts)
        # 3. All but the quotes, which are many, moves into this session's own tables.
        _take_over(taken)
        # 4. Months seen for the first time get their partitions; quotes are written, and what hangs on them.
        reach = _reach(taken)
        made = [month for month in reach.months if partitions.name(month) not in self._partitions]
        partitions.make(session, made)
        written = merge_attempted_quotes(taken, reach.period) if reach.period else Written(0, 0)
        # 5. From here on as every batch: venues' candles, instruments, dead letters.
        venue_candles = merge_staged_candles(session)
        instruments = merge_staged_instruments(session)
        now = self._clock.now()
        rejects = merge_rejects(session, now)
        # 6. The batch goes on record, and offsets and position move.
        loaded = record(
            session,
            kind="tail",
            started_at=started_at,
            now=now,
            traceparent=traceparent,
            quotes_read=reach.quotes,
            quotes_new=written.quotes,
            rejects=rejects,
            candles=written.candles,
            venue_candles=venue_candles,
            instruments=instruments,
        )
        for stretch in stretches:
            _move_offset(session, self._topic, stretch)
        session.execute(statement("attempts/move_position"))
        return loaded, made

    def _look_at_lakes(self, taken: Taken) -> None:
        """Tells of captures of another lake than the warehouse's; refuses a topic that has nothing else."""
        session, lakes = taken.session, _lakes(taken)
        if len(lakes) > 1:  # they were staged when the warehouse was nobody's yet: it is of whom most are
            session.execute(statement("load/first_position"), {"lake_id": lakes[0]})
            raise TryAgain(
                f"The topic {self._topic.name} holds captures of {len(lakes)} lakes, and the warehouse "
                f"{server_name(self._dsn)} was empty: from now on it is one of lake {lakes[0]}. "
                "This batch is to be made again."
            )
        rule = sql.Literal(ANOTHER_LAKE)
        strangers = taken.ask("attempts/strangers", rule=rule).fetchall()
        if not strangers:
            return
        captures, (said, *_) = len(strangers), strangers[0]
        if not lakes and not _offsets(session, self._topic):
            raise FixConfiguration(
                f"The topic {self._topic.name} holds captures of another lake than the warehouse "
                f"{server_name(self._dsn)}: their histories must not mix ({said}). "
                "Use another topic, or another warehouse."
            )
        log.warning("load.another_lake", topic=self._topic.name, captures=captures, reason=said)

    def _lock_position(self, taken: Taken) -> None:
        session, lakes = taken.session, _lakes(taken)
        for lake_id in lakes:
            session.execute(statement("load/first_position"), {"lake_id": lake_id})
        row = session.execute(statement("load/lock_position")).fetchone()
        if row and set(lakes) - {row[1]}:
            raise TryAgain(
                f"The warehouse {server_name(self._dsn)} became one of lake {row[1]} while captures of "
                "another were staged. This batch is to be made again."
            )

    def _count(self, taken: Taken, attempts: Sequence[Attempt]) -> None:
        (found,) = taken.ask("attempts/counts").fetchone() or (0,)
        expected = sum(attempt.rows for attempt in attempts)
        if found != expected:
            raise TryAgain(
                f"The warehouse {server_name(self._dsn)} has {found} of {expected} rows that were staged: "
                "it was restarted since, or another program began a batch. This batch is to be made again."
            )

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The session, which leads; opened if there is none. After any error the next call opens another."""
        try:
            with explained(self._dsn):
                if self._open is None:
                    self._open = connect(self._dsn, "load")
                    self._lead(self._open)
                    open_staging(self._open)
                    self._partitions = partitions.present(self._open)
                yield self._open
        except BaseException:
            self.close()
            raise

    def _lead(self, session: Connection) -> None:
        (leads,) = session.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER,)).fetchone() or (False,)
        if not leads:
            raise TryAgain(
                f"Another program loads the warehouse {server_name(self._dsn)} from the bus: this one takes "
                "over when that one ends."
            )


def _offsets(session: Connection, topic: Topic) -> dict[int, int]:
    named = {"topic": topic.name, "topic_id": topic.id}
    return dict(session.execute(statement("attempts/offsets"), named).fetchall())


def _move_offset(session: Connection, topic: Topic, read: Stretch) -> None:
    moved = {"topic": topic.name, "topic_id": topic.id}
    session.execute(
        statement("attempts/move_offset"), {**moved, "partition": read.partition, "next_offset": read.next}
    )


def _lakes(taken: Taken) -> list[UUID]:
    """Of which lakes captures were staged, those with the most first."""
    return [lake_id for (lake_id,) in taken.ask("attempts/lakes")]


class _Reach(NamedTuple):
    """What the quotes of a batch reach: the days that hold them all (None without any), the first moments of
    their months, and how many they are."""

    period: Period | None
    months: list[datetime]
    quotes: int


def _take_over(taken: Taken) -> None:
    """Copies what the named attempts staged, but for the quotes, into the session's own staging tables."""
    taken.ask("attempts/captures")
    taken.ask("attempts/rejects")
    for kind, schema in (("candles", CANDLES), ("instruments", INSTRUMENTS)):
        taken.ask(
            "attempts/rows",
            staged=sql.Identifier(f"staged_{kind}"),
            staging=sql.Identifier(staging(taken.side, kind)),
            columns=sql.SQL(", ").join(map(sql.Identifier, schema.names)),
        )


def _reach(taken: Taken) -> _Reach:
    row = taken.ask("attempts/stretch").fetchone()
    return _Reach({"since": row[0], "until": row[1]}, row[2], row[3]) if row else _Reach(None, [], 0)
