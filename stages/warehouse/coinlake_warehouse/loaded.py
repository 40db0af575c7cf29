"""The captures that are on record as loaded, for the account across hops (`coinlake.account`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self
from uuid import UUID

from coinlake.account import RANGE_BITS, Entry, Tallies, Tally
from coinlake.errors import FixConfiguration
from coinlake_warehouse.closing import Topic
from coinlake_warehouse.connection import connect, explained, server_name
from coinlake_warehouse.statements import statement


class LoadedCaptures:
    """What of a lake a warehouse has loaded, over one session that only reads. For one thread at a time.

    Raises `TryAgain` while the server is away, and `FixConfiguration` where it cannot be used or was loaded
    from another lake.
    """

    def __init__(self, dsn: str, lake_id: UUID) -> None:
        self._dsn = dsn
        self._session = connect(dsn, "account")
        try:
            self._begin(lake_id)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the session."""
        self._session.close()

    def offsets(self, topic: Topic) -> Mapping[int, int]:
        """The next offset to load of each partition that was ever loaded of this topic."""
        named = {"topic": topic.name, "topic_id": topic.id}
        with explained(self._dsn):
            return dict(self._session.execute(statement("attempts/offsets"), named).fetchall())

    def tallies(self) -> Tallies:
        """The sums of all loaded captures, made by the server."""
        with explained(self._dsn):
            rows = self._session.execute(statement("verify/tallies"), {"range_bits": RANGE_BITS}).fetchall()
        return {number: Tally(captures, digest) for number, captures, digest in rows}

    def entries(self, after: int, until: int) -> list[Entry]:
        """The loaded captures at positions (after, until]."""
        span = {"after": after, "until": until}
        with explained(self._dsn):
            return [Entry(*row) for row in self._session.execute(statement("verify/entries"), span)]

    def _begin(self, lake_id: UUID) -> None:
        with explained(self._dsn):
            self._session.execute("SET default_transaction_read_only = on")
            row = self._session.execute(statement("load/position")).fetchone()
        if row is not None and row[1] != lake_id:
            raise FixConfiguration(
                f"The warehouse {server_name(self._dsn)} was loaded from lake {row[1]}, and this is lake "
                f"{lake_id}: there is no account between them."
            )
