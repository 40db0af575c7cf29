"""SQLite files that several threads and processes share: how each of ours is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

LOCK_TIMEOUT_S = 30
"""How long a writer waits for another; each takes milliseconds."""


def connect(file: Path) -> sqlite3.Connection:
    """A connection in autocommit whose every commit outlives a power cut; rows have names.

    Raises `sqlite3.Error` where the file cannot be opened or is no database.
    """
    connection = sqlite3.connect(file, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


# Going over to WAL does not wait for the lock as all else does, and several programs may start at once.
@retry(
    retry=retry_if_exception_message(match="database is locked"),
    stop=stop_after_delay(LOCK_TIMEOUT_S),
    wait=wait_random(0.01, 0.1),
    reraise=True,
)
def _write_ahead(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
