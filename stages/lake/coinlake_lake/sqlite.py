"""The embedded lake: one SQLite file, safe with several threads and processes.

Why `tail` never skips: SQLite has one writer at a time, from a transaction's first write to its commit, and
a capture's position is taken within that span. So positions become visible in their own order, and
whoever has read up to one has read all below it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from uuid import UUID

import msgspec

from coinlake.account import Entry
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.lake import damaged
from coinlake.model import Capture, Held
from coinlake.sqlite import Form, connect
from coinlake.telemetry.calls import database

_SCAN_CAPTURES = 100
_SCAN_BODY_BYTES = 16 * 1024 * 1024
"""How much is read at a time where all captures are wanted."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


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
            (self._id,) = map(UUID, self._connection().execute(_statement("id")).fetchone())
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
        row = _row(capture)
        with database("sqlite", "append"), self._explained():
            return self._connection().execute(_statement("append"), row).rowcount == 1

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        """The next captures behind a position; see `coinlake.lake.Lake.tail`."""
        return self._next(after, captures=captures, body_bytes=body_bytes)

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
        read = partial(
            self._next,
            captures=_SCAN_CAPTURES,
            body_bytes=_SCAN_BODY_BYTES,
            source=source,
            since=_text(since) if since else None,
            until=_text(until) if until else None,
        )
        position = 0
        while held := read(position):
            yield from held
            position = held[-1].position

    def entries(self, after: int, until: int) -> Iterator[Entry]:
        """Positions (after, until] and the ids of their captures; see `coinlake.lake.Lake.entries`."""
        span = {"after": after, "until": until}
        with self._explained(), closing(self._connection().execute(_statement("entries"), span)) as rows:
            for position, capture_id in rows:
                yield Entry(position, UUID(capture_id))

    def end(self) -> int:
        """The highest position in use; 0 for an empty lake."""
        return self._number("end")

    def count_after(self, position: int) -> int:
        """How many captures lie behind a position."""
        return self._number("count_after", after=position)

    def audit(self) -> Iterator[Held]:
        """Captures whose bytes are no longer those that were stored, by their SHA-256."""
        return damaged(self.scan())

    def _next(
        self,
        after: int,
        *,
        captures: int,
        body_bytes: int,
        source: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> list[Held]:
        values = {"after": after, "limit": captures, "source": source, "since": since, "until": until}
        found: list[Held] = []
        size = 0
        with self._explained(), closing(self._connection().execute(_statement("scan"), values)) as rows:
            for row in rows:
                size += row["size"]
                if found and size > body_bytes:
                    break
                found.append(_held(row))
        return found

    def _number(self, statement: str, **values: int) -> int:
        with self._explained():
            (number,) = self._connection().execute(_statement(statement), values).fetchone()
        return int(number)

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection, opened when it is first needed."""
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = connect(self._file, _LAKE)
            self._of_thread.connection = connection
            with self._lock:
                self._opened.append(connection)
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, msgspec.DecodeError, ValueError) as error:
            if _is_damage(error):
                raise FixConfiguration(
                    f"The lake {self._file} is damaged: {error}. Restore it from a backup."
                ) from error
            if isinstance(error, sqlite3.OperationalError):
                raise TryAgain(
                    f"Cannot use the lake {self._file} now: {error}. "
                    "Check its disk's free space and its rights."
                ) from error
            raise


@cache
def _statement(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


_LAKE = Form("lake", application_id=0x434C4B45, version=1, schema=_statement("schema"))  # "CLKE"


def _is_damage(error: Exception) -> bool:
    """Whether the file does not hold what was written, rather than cannot be used just now."""
    if not isinstance(error, sqlite3.DatabaseError):
        return True  # a value that is no longer what it was: a moment, JSON
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:  # found by Python's module: text that is no UTF-8, or our own mistake
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _DAMAGE


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
    capture = Capture(
        source=row["source"],
        dataset=row["dataset"],
        slot=datetime.fromisoformat(row["slot"]),
        page=row["page"],
        url=row["url"],
        params=msgspec.json.decode(row["params"], type=tuple[tuple[str, str], ...]),
        status=row["status"],
        headers=msgspec.json.decode(row["headers"], type=dict[str, str]),
        body=row["body"],
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
