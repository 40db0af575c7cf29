"""What was wrong from when to when, and whom that was told: `alerts.db` in the deployment's folder."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.sqlite import Form, connect, transaction
from coinlake.state import moment_text
from coinlake_cli.alerts.rules import Severity

KEPT_FOR = timedelta(days=90)
"""What ended longer ago is forgotten."""
TOLD_WITHIN = timedelta(days=1)
"""What could not be told for so long is no news any more."""

Edge = Literal["begin", "end"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS episodes (
    id INTEGER PRIMARY KEY,
    alert TEXT NOT NULL,
    subject TEXT NOT NULL,          -- which feed, hop or asset; "" where there is but one
    severity TEXT NOT NULL,
    says TEXT NOT NULL,             -- when it began
    began_at TEXT NOT NULL,
    ended_at TEXT                   -- NULL while it lasts
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS open_once ON episodes (alert, subject) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS told (
    episode INTEGER NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
    edge TEXT NOT NULL CHECK (edge IN ('begin', 'end')),
    target TEXT NOT NULL,
    PRIMARY KEY (episode, edge, target)
) STRICT, WITHOUT ROWID;
"""
_FORM = Form("file of alerts", application_id=0x434C414C, version=1, schema=_SCHEMA)  # "CLAL"


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that is, or was, wrong. Moments are aware UTC."""

    id: int
    alert: str
    subject: str
    severity: Severity
    says: str
    began_at: datetime
    ended_at: datetime | None
    """None while it lasts."""


@dataclass(frozen=True, slots=True)
class Notice:
    """That an episode began, or ended."""

    episode: Episode
    edge: Edge


class Episodes:
    """The file; safe to use from any thread and from several processes. Every change is durable.

    Raises `FixConfiguration` where the file cannot be made or read, `TryAgain` where a change cannot be
    written now.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "alerts.db"
        self._lock = threading.Lock()
        try:
            self._connection = connect(self.file, _FORM)
            self._connection.execute("PRAGMA foreign_keys = ON")
        except (OSError, sqlite3.Error) as error:
            raise FixConfiguration(
                f"Cannot use the file of alerts {self.file}: {error}. Check rights and space of its folder."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._connection.close()

    def open(self) -> list[Episode]:
        """What is wrong now, the newest first."""
        return self._episodes("WHERE ended_at IS NULL ORDER BY began_at DESC, id DESC")

    def ended(self, *, limit: int) -> list[Episode]:
        """What was wrong, the last ended first."""
        return self._episodes("WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT ?", limit)

    def begin(self, alert: str, subject: str, severity: Severity, says: str, at: datetime) -> None:
        """Something is wrong from now on; changes nothing where that is known."""
        with self._changing() as connection:
            connection.execute(
                "INSERT INTO episodes (alert, subject, severity, says, began_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (alert, subject, severity, says, moment_text(at)),
            )

    def end(self, episode: Episode, at: datetime) -> None:
        """It is over; what ended long ago is forgotten meanwhile."""
        with self._changing() as connection:
            connection.execute(
                "UPDATE episodes SET ended_at = ? WHERE id = ? AND ended_at IS NULL",
                (moment_text(at), episode.id),
            )
            connection.execute("DELETE FROM episodes WHERE ended_at < ?", (moment_text(at - KEPT_FOR),))

    def untold(self, target: str, now: datetime) -> list[Notice]:
        """What a target was not told yet, in the order in which it happened. An end is news to who knows of
        the beginning, or will."""
        since = moment_text(now - TOLD_WITHIN)
        with self._reading() as connection:
            told = {
                (row["episode"], row["edge"])
                for row in connection.execute("SELECT episode, edge FROM told WHERE target = ?", (target,))
            }
        episodes = self._episodes("WHERE began_at >= ? OR ended_at >= ? OR ended_at IS NULL", since, since)
        return list(_news(episodes, told, now - TOLD_WITHIN))

    def tell(self, notice: Notice, target: str) -> None:
        """Remembers that a target was told."""
        with self._changing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO told (episode, edge, target) VALUES (?, ?, ?)",
                (notice.episode.id, notice.edge, target),
            )

    def _episodes(self, rest: str, *values: str | int) -> list[Episode]:
        with self._reading() as connection:
            rows = connection.execute(f"SELECT * FROM episodes {rest}", values).fetchall()  # noqa: S608
        return [
            Episode(
                **{
                    **dict(row),
                    "began_at": datetime.fromisoformat(row["began_at"]),
                    "ended_at": datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
                }
            )
            for row in rows
        ]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise TryAgain(f"Cannot read {self.file}: {error}.") from error

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, transaction(self._connection, self.file) as connection:
            yield connection


def _news(episodes: Sequence[Episode], told: set[tuple[int, str]], since: datetime) -> Iterator[Notice]:
    moments: list[tuple[datetime, int, Notice]] = []
    for episode in episodes:
        knows = (episode.id, "begin") in told
        if not knows and episode.began_at >= since:
            moments.append((episode.began_at, episode.id, Notice(episode, "begin")))
            knows = True
        if knows and episode.ended_at and (episode.id, "end") not in told:
            moments.append((episode.ended_at, episode.id, Notice(episode, "end")))
    for _, _, notice in sorted(moments, key=lambda one: one[:2]):
        yield notice
