"""What a deployment must remember that is not data: the health of its feeds, quota spent, bans.

One SQLite file, shared by every process of a deployment. Every change is one durable transaction.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from coinlake.errors import FixConfiguration
from coinlake.sqlite import Form, connect, transaction


@dataclass(frozen=True, slots=True)
class FeedState:
    """How one feed fares. Moments are aware UTC, None where it has not happened yet."""

    source: str
    dataset: str
    cadence_s: float
    last_slot: datetime | None = None
    """The newest slot that was finished, stored or failed."""
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    """When a slot was last stored whole."""
    last_error: str | None = None
    """Why the newest slot failed; None once a slot succeeds."""
    failures: int = 0
    """Failed slots in a row."""
    stretched_to_s: float | None = None
    """Spacing of slots while it is wider than the cadence, to keep the month's credits; else None."""
    next_slot_at: datetime | None = None
    """The slot that is waited for or worked on; None where a schedule does not say."""
    slots_missed: int = 0
    """Slots that went by without an attempt, ever: downtime, a venue slower than the cadence."""
    held_until: datetime | None = None
    """Nothing is, or was, sent to the source before this moment; None where it was never held."""
    held_for: str | None = None
    """Why: a ban, or a pause that the venue asked for."""


class State:
    """`state.db` in a deployment's folder; safe to use from any thread and from several processes.

    Raises `FixConfiguration` where the file cannot be made or read, `TryAgain` where a change cannot be
    written now (a full disk, a lock held too long).
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state.db"
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = connect(self.file, _STATE)
        except (OSError, sqlite3.Error) as error:
            raise FixConfiguration(
                f"Cannot use the state file {self.file}: {error}. Check its folder's rights and free space."
            ) from error

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; nothing is pending, every change was durable when its call returned."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One atomic change, alone among all threads and processes from its first statement on."""
        with self._lock, transaction(self._connection, self.file) as connection:
            yield connection

    def feeds(self) -> list[FeedState]:
        """Every feed that was ever scheduled or attempted, by source and dataset."""
        with self._lock:
            rows = self._connection.execute(statement("state/feeds")).fetchall()
        return [_feed_state(row) for row in rows]

    def feed(self, source: str, dataset: str) -> FeedState | None:
        """One feed; None if it was never scheduled or attempted."""
        named = (feed for feed in self.feeds() if (feed.source, feed.dataset) == (source, dataset))
        return next(named, None)

    def scheduled(
        self,
        source: str,
        dataset: str,
        *,
        cadence_s: float,
        next_slot_at: datetime,
        stretched_to_s: float | None,
    ) -> None:
        """Records when the next slot comes, and whether the schedule is stretched."""
        self._change(
            "state/scheduled",
            source=source,
            dataset=dataset,
            cadence_s=cadence_s,
            next_slot_at=moment_text(next_slot_at),
            stretched_to_s=stretched_to_s,
        )

    def missed(self, source: str, dataset: str, *, cadence_s: float, slots: int) -> None:
        """Adds slots that went by without an attempt to those missed before."""
        self._change("state/missed", source=source, dataset=dataset, cadence_s=cadence_s, slots=slots)

    def attempted(self, source: str, dataset: str, *, cadence_s: float, at: datetime) -> None:
        """Records that a slot is about to be fetched."""
        self._change(
            "state/attempted", source=source, dataset=dataset, cadence_s=cadence_s, at=moment_text(at)
        )

    def succeeded(self, source: str, dataset: str, *, slot: datetime, at: datetime) -> None:
        """Records that every answer of an attempted slot is stored."""
        self._change(
            "state/succeeded", source=source, dataset=dataset, slot=moment_text(slot), at=moment_text(at)
        )

    def failed(self, source: str, dataset: str, *, slot: datetime, error: str) -> None:
        """Records that an attempted slot was given up, and why."""
        self._change("state/failed", source=source, dataset=dataset, slot=moment_text(slot), error=error)

    def _change(self, name: str, **values: Any) -> None:
        with self.transaction() as connection:
            connection.execute(statement(name), values)


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


_STATE = Form("state file", application_id=0x434C5354, version=2, schema=statement("state/schema"))  # "CLST"


def moment_text(moment: datetime) -> str:
    """A moment as the file keeps it: UTC, always six digits of a second, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _feed_state(row: sqlite3.Row) -> FeedState:
    kept = dict(row)
    for name in ("last_slot", "last_attempt_at", "last_success_at", "next_slot_at", "held_until"):
        kept[name] = datetime.fromisoformat(kept[name]) if kept[name] else None
    return FeedState(**kept)
