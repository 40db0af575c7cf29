"""Asking a warehouse: one `.sql` file a question, over sessions that can change nothing."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.statements import statement

Row = TypeVar("Row")

_STATEMENT_TIMEOUT_S = 10


class Asking:
    """Sessions that only read, kept between questions. Safe to share between threads.

    Every question raises `TryAgain` while the server is away or slow, and connects anew when asked again;
    `FixConfiguration` where the address, the rights or the schema are not what they should be.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are not in use."""
        while (connection := self._take_idle()) is not None:
            connection.close()

    def _one(self, row: type[Row], name: str, **values: Any) -> Row:
        return self._all(row, name, **values)[0]

    def _all(self, row: type[Row], name: str, **values: Any) -> list[Row]:
        return self._fetch(row, statement(f"reading/{name}"), values)

    def _fetch(self, row: type[Row], query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> list[Row]:
        with (
            explained(self._dsn),
            self._connection() as connection,
            connection.cursor(row_factory=class_row(row)) as cursor,
        ):
            return cursor.execute(query, values).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection of our own for a while; one that fails is dropped, never used again."""
        connection = self._answering() or self._connect()
        try:
            yield connection
        except psycopg.OperationalError:
            connection.close()
            raise
        except psycopg.Error:
            self._idle.put(connection)
            raise
        self._idle.put(connection)

    def _answering(self) -> Connection | None:
        """An idle connection that the server still answers on; those it does not are dropped."""
        while (connection := self._take_idle()) is not None:
            try:
                connection.execute("SELECT")
            except psycopg.OperationalError:
                connection.close()
            else:
                return connection
        return None

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _connect(self) -> Connection:
        connection = connect(self._dsn, "read")
        connection.execute(
            "SELECT set_config('default_transaction_read_only', 'on', false), "
            "set_config('statement_timeout', %s, false)",
            [f"{_STATEMENT_TIMEOUT_S}s"],
        )
        return connection
