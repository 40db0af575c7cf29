"""SQLite files that several threads and processes share: how each of ours is opened, told apart and made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

from coinlake.errors import FixConfiguration, TryAgain

LOCK_TIMEOUT_S = 30
"""How long a writer waits for another; each takes milliseconds."""
_DAMAGE_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Form:
    """What a file of ours is, as its own header tells everyone who opens it."""

    name: str
    """What people call it."""
    application_id: int
    """`PRAGMA application_id`: four ASCII letters as a number, which `file` shows."""
    version: int
    """Of the tables in it (`PRAGMA user_version`)."""
    schema: str
    """SQL that makes the tables that are not there yet, and harms none that are."""


def connect(file: Path, form: Form) -> sqlite3.Connection:
    """A connection in autocommit whose every commit outlives a power cut; rows have names.

    Makes the file if it is not there, and in an older one the tables that are new; of several programs at
    once all get the same. Raises
    `FixConfiguration` for a file of another form, which stays as it is, and for a newer one; `sqlite3.Error`
    where the file cannot be opened or made.
    """
    connection = sqlite3.connect(file, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        # Empty or not is asked before whose it is: a file that is being made has an owner once it has tables.
        is_new = not _number(connection, "SELECT count(*) FROM sqlite_schema")
        if not is_new:
            _check(connection, file, form)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        if is_new or _number(connection, "PRAGMA user_version") < form.version:
            _make(connection, form)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, file: Path) -> Iterator[sqlite3.Connection]:
    """One atomic change, alone among all processes from its first statement on; its threads must take turns.

    Raises `TryAgain` where it cannot be written now (a full disk, a lock held too long).
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        raise TryAgain(
            f"Cannot write {file}: {error}. Check its disk's free space and its rights."
        ) from error


def damage(file: Path, *, deep: bool) -> list[str]:
    """What SQLite finds wrong with how a file is built; empty where it is whole, or not there yet.

    Reads every page, at about the speed of the disk; `deep` also holds each index against its table. Whether
    a stored value is what it was is not for SQLite to say.
    """
    if not file.exists():
        return []
    check = "integrity_check" if deep else "quick_check"
    try:
        with closing(sqlite3.connect(file, timeout=LOCK_TIMEOUT_S)) as connection:
            found = [text for (text,) in connection.execute(f"PRAGMA {check}({_DAMAGE_SHOWN})")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def _check(connection: sqlite3.Connection, file: Path, form: Form) -> None:
    if _number(connection, "PRAGMA application_id") != form.application_id:
        raise FixConfiguration(
            f"{file} is not a {form.name} of Coinlake: move it away, or name another folder."
        )
    version = _number(connection, "PRAGMA user_version")
    if version > form.version:
        raise FixConfiguration(
            f"The {form.name} {file} was made by a newer Coinlake (version {version}; this one knows "
            f"{form.version}): run that one, or name another folder."
        )


# Going over to WAL does not wait for the lock as all else does, and several programs may start at once.
@retry(
    retry=retry_if_exception_message(match="database is locked"),
    stop=stop_after_delay(LOCK_TIMEOUT_S),
    wait=wait_random(0.01, 0.1),
    reraise=True,
)
def _write_ahead(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")


def _make(connection: sqlite3.Connection, form: Form) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {form.schema} PRAGMA application_id = {form.application_id}; "
        f"PRAGMA user_version = {form.version}; COMMIT;"
    )


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])
