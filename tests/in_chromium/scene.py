"""A warehouse for the page to show, filled by plain SQL, and rows to fill it with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from coinlake.state import FeedState
from coinlake_cli.alerts.episodes import Episode
from coinlake_cli.lag import Hop
from coinlake_cli.page.desk import Allowance

NOW = datetime(2024, 12, 14, 12, tzinfo=UTC)
CAPTURE = UUID("96fe8410-e2fb-8793-b865-4cd07b4c68b8")


@dataclass
class Scene:
    """A warehouse to fill, and what the program would tell the page."""

    dsn: str
    feeds: list[FeedState] = field(default_factory=list)
    replayed: list[tuple[UUID, str]] = field(default_factory=list)
    on_replay: Callable[[Sequence[tuple[UUID, str]]], str] = lambda keys: f"{len(keys)} accepted."
    now: datetime = NOW
    banner: str | None = None
    alerts: list[Episode] | None = None
    watched_elsewhere: bool = False
    hops: list[Hop] = field(default_factory=list)
    allowances: list[Allowance] = field(default_factory=list)
    url: str = ""

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Writes rows as a loader would."""
        with psycopg.connect(self.dsn, options="-c search_path=coinlake") as connection:
            for row in rows:
                columns = ", ".join(f'"{name}"' for name in row)
                values = ", ".join(f"%({name})s" for name in row)
                connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row)

    def run(self, statement: str) -> None:
        """Any other change."""
        with psycopg.connect(self.dsn, options="-c search_path=coinlake") as connection:
            connection.execute(statement)

    def commit_batch(self, *quotes: dict[str, Any], **given: Any) -> None:
        """Writes newest quotes and the record of the batch that brought them."""
        for row in quotes:
            key = {name: row[name] for name in ("source", "asset", "quote_currency")}
            with psycopg.connect(self.dsn, options="-c search_path=coinlake") as connection:
                where = " AND ".join(f"{name} = %({name})s" for name in key)
                connection.execute(f"DELETE FROM latest_quotes WHERE {where}", key)
        self.insert("latest_quotes", *quotes)
        self.insert("batches", batch(len(quotes), **given))


def quote(asset: str, price: str | None, **given: Any) -> dict[str, Any]:
    """A row of `latest_quotes`."""
    return {
        "source": "coingecko",
        "asset": asset,
        "quote_currency": "usd",
        "granularity": "live",
        "as_of": NOW - timedelta(minutes=3),
        "fetched_at": NOW - timedelta(minutes=2),
        "symbol": asset[:3],
        "name": asset.title(),
        "price": price and Decimal(price),
        "synthetic": False,
        "capture_id": CAPTURE,
        "path": "/0",
        **given,
    }


def candles(asset: str, closes: Sequence[str], interval: str = "1d", **given: Any) -> list[dict[str, Any]]:
    """Rows of `candles`, one a day up to today, each with one quote."""
    days = [NOW.replace(hour=0) - timedelta(days=back) for back in range(len(closes))][::-1]
    return [
        {
            "source": "coingecko",
            "asset": asset,
            "quote_currency": "usd",
            "interval": interval,
            "open_time": day,
            **dict.fromkeys(("open", "high", "low", "close"), Decimal(close)),
            "quotes": 1,
            "first_as_of": day,
            "last_as_of": day,
            "synthetic": False,
            **given,
        }
        for day, close in zip(days, closes, strict=True)
    ]


def batch(quotes: int, **given: Any) -> dict[str, Any]:
    """A row of `batches`."""
    return {
        "kind": "tail",
        "first_position": 1,
        "last_position": 1,
        "captures": 1,
        "quotes_read": quotes,
        "quotes_new": quotes,
        "rejects": 0,
        "candles": 3 * quotes,
        "oldest_received_at": NOW - timedelta(seconds=62.5),
        "started_at": NOW - timedelta(seconds=61),
        "committed_at": NOW - timedelta(seconds=60),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        **given,
    }


def letter(path: str, *reasons: str, original: bytes = b"{}", **given: Any) -> dict[str, Any]:
    """A row of `dead_letters`."""
    return {
        "capture_id": CAPTURE,
        "path": path,
        "stage": "validate",
        "source": "coingecko",
        "dataset": "markets",
        "slot": NOW,
        "reasons": list(reasons),
        "original": original,
        "received_at": NOW,
        "rejected_at": NOW - timedelta(hours=1),
        **given,
    }


def wait_until(holds: Callable[[], bool], *, deadline_s: float = 10) -> None:
    """Returns as soon as something holds, and fails if it never does."""
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, "it did not come to hold in time"
        time.sleep(0.02)
