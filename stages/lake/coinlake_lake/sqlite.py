"""The embedded lake: one SQLite file, safe with several threads and processes.

Why `tail` never skips: SQLite has one writer at a time, from a transaction's first write to its commit, and
a capture's position is taken within that span. So positions become visible in their own order, and
whoever has read up to one has read all below it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from uuid import UUID, uuid4

import msgspec

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import Capture, Held
from coinlake.sqlite import connect

APPLICATION_ID = 0x434C4B45
"""Marks the file as a lake (`PRAGMA application_id`): "CLKE" in ASCII."""
_VERSION = 1
"""Of the tables in the file (`PRAGMA user_version`)."""
_SCAN_CAPTURES = 100
"""Captures read at a time where all are wanted."""

_FROM_THE_START = "0000"
_TO_THE_END = "9999-99"
"""Texts that sort before and behind every slot."""


class SqliteLake:
    """A lake in one file (`coinlake.lake.Lake`); made when it is not there.

    Raises `FixConfiguration` for a file that is no lake, is a newer one or cannot be used, and `TryAgain`
    where a capture cannot be stored now: a full disk, a lock held too long.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._of_thread = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._id = self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise FixConfiguration(
                f"Cannot use the lake {file}: {error}. Check its folder's rights and free space; "
                "if the file is damaged, restore it from a backup."
            ) from None

    def __enter__(self) -> SqliteLake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def id(self) -> UUID:
        """The identity of this lake, made once with it."""
        return self._id

    def close(self) -> None:
        """Closes the file for all threads; every capture was durable when `append` returned."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def append(self, capture: Capture) -> bool:
        """Stores a capture durably; False where one of the same identity was there already."""
        with self._explained():
            return self._connection().execute(_statement("append"), _row(capture)).rowcount == 1

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        """The next captures behind a position; see `coinlake.lake.Lake.tail`."""
        found: list[Held] = []
        size = 0
        with self._explained():
            rows = self._connection().execute(_statement("tail"), {"after": after, "limit": captures})
            for row in rows:
                size += row["size"]
                if found and size > body_bytes:
                    break
                found.append(_held(row))
            rows.close()
        return found

    def find(self, capture_id: UUID) -> Held | None:
        """The capture of that id, if this lake holds it."""
        with self._explained():
            row = self._connection().execute(_statement("find"), {"id": str(capture_id)}).fetchone()
        return _held(row) if row else None

    def scan(
        self,
        *,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Held]:
        """Captures whose slot lies in [since, until), by position; see `coinlake.lake.Lake.scan`."""
        wanted = {
            "source": source,
            "since": _text(since) if since else _FROM_THE_START,
            "until": _text(until) if until else _TO_THE_END,
            "limit": _SCAN_CAPTURES,
        }
        position = 0
        while True:
            with self._explained():
                rows = self._connection().execute(_statement("scan"), wanted | {"after": position}).fetchall()
            if not rows:
                return
            yield from map(_held, rows)
            position = rows[-1]["position"]

    def end(self) -> int:
        """The highest position in use; 0 for an empty lake."""
        return self._number("end")

    def count_after(self, position: int) -> int:
        """How many captures lie behind a position."""
        return self._number("count_after", after=position)

    def audit(self) -> Iterator[Held]:
        """Captures whose bytes are no longer those that were stored, by their SHA-256."""
        for held in self.scan():
            if hashlib.sha256(held.capture.body).hexdigest() != held.capture.sha256:
                yield held

    def _number(self, statement: str, **values: int) -> int:
        with self._explained():
            (number,) = self._connection().execute(_statement(statement), values).fetchone()
        return int(number)

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection, opened when it is first needed."""
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = connect(self._file)
            self._of_thread.connection = connection
            with self._lock:
                self._opened.append(connection)
        return connection

    def _prepare(self) -> UUID:
        connection = self._connection()
        found, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        is_new = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not is_new and found != APPLICATION_ID:
            raise FixConfiguration(
                f"{self._file} is not a lake of Coinlake: move it away, or name another folder."
            )
        if version > _VERSION:
            raise FixConfiguration(
                f"The lake {self._file} was made by a newer Coinlake (version {version}; this one knows "
                f"{_VERSION}): run that one, or name another folder."
            )
        if is_new:
            _make(connection)
        return UUID(connection.execute(_statement("id")).fetchone()[0])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise TryAgain(
                f"Cannot use the lake {self._file} now: {error}. Check its disk's free space and its rights."
            ) from None
        except sqlite3.DatabaseError as error:
            raise FixConfiguration(
                f"The lake {self._file} is damaged: {error}. Restore it from a backup."
            ) from None


def _make(connection: sqlite3.Connection) -> None:
    """Makes the tables; of several programs that start at once one makes them, and the others find them."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        for statement in _statements("schema"):
            connection.execute(statement)
        connection.execute("INSERT INTO lake VALUES (1, ?)", (str(uuid4()),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


@cache
def _statement(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _statements(name: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit before the first."""
    statement = ""
    for line in _statement(name).splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _row(capture: Capture) -> dict[str, object]:
    return {
        "capture_id": str(capture.id),
        "source": capture.source,
        "dataset": capture.dataset,
        "slot": _text(capture.slot),
        "page": capture.page,
        "sha256": capture.sha256,
        "size": len(capture.body),
        "status": capture.status,
        "url": capture.url,
        "params": msgspec.json.encode(capture.params).decode(),
        "headers": msgspec.json.encode(dict(capture.headers)).decode(),
        "requested_at": _text(capture.requested_at),
        "received_at": _text(capture.received_at),
        "run_id": capture.run_id,
        "plugin_version": capture.plugin_version,
        "traceparent": capture.traceparent,
        "synthetic": capture.synthetic,
        "body": _readable(capture.body),
    }


def _readable(body: bytes) -> str | bytes:
    """A body as text where the shell can show it whole: UTF-8, without a NUL, at which the shell stops."""
    if b"\0" in body:
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def _held(row: sqlite3.Row) -> Held:
    body = row["body"]
    capture = Capture(
        source=row["source"],
        dataset=row["dataset"],
        slot=datetime.fromisoformat(row["slot"]),
        page=row["page"],
        url=row["url"],
        params=msgspec.json.decode(row["params"], type=tuple[tuple[str, str], ...]),
        status=row["status"],
        headers=msgspec.json.decode(row["headers"], type=dict[str, str]),
        body=body.encode("utf-8") if isinstance(body, str) else body,
        requested_at=datetime.fromisoformat(row["requested_at"]),
        received_at=datetime.fromisoformat(row["received_at"]),
        run_id=row["run_id"],
        plugin_version=row["plugin_version"],
        traceparent=row["traceparent"],
        synthetic=bool(row["synthetic"]),
    )
    # What it was stored under, not what the bytes are now: the identity survives a flipped bit, which
    # `audit` finds.
    vars(capture)["sha256"] = row["sha256"]
    return Held(row["position"], capture)


def _text(moment: datetime) -> str:
    """UTC with six digits of a second, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
