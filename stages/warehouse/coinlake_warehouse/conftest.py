"""A real PostgreSQL for this room's tests: a server a session, a fresh database a test; and small batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

from coinlake.model import CANDLES, INSTRUMENTS, QUOTES, REJECTS, Capture, Decoded, Held
from coinlake.warehouse import Batch
from coinlake_warehouse.connection import connect
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.migrations import migrate

_names = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of a running server, as superuser, to its database `postgres`."""
    with EmbeddedServer(tmp_path_factory.mktemp("a server"), durable=False) as embedded:
        yield make_conninfo(embedded.dsn, dbname="postgres")


@pytest.fixture
def empty_database(server: str) -> str:
    """Connection string of a new database with nothing in it."""
    name = f"empty_{next(_names)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_conninfo(server, dbname=name)


@pytest.fixture(scope="session")
def fresh(server: str) -> Callable[[], str]:
    """Makes new databases with the schema in them, quickly; gives their connection strings."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_warehouse")
    migrate(make_conninfo(server, dbname="template_warehouse"))

    def make() -> str:
        name = f"warehouse_{next(_names)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_warehouse")
        return make_conninfo(server, dbname=name)

    return make


@pytest.fixture
def dsn(fresh: Callable[[], str]) -> str:
    """Connection string of a new warehouse."""
    return fresh()


LAKE = UUID(int=1)
MIDNIGHT = datetime(2024, 10, 15, tzinfo=UTC)
OPENED = MIDNIGHT - timedelta(minutes=10)
"""When a venue's candle of five minutes opens unless a test says otherwise."""


def held(position: int, minute: float = 0, **changed: Any) -> Held:
    """A capture at a position, received `minute` minutes after midnight."""
    received_at = MIDNIGHT + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "source": "coingecko",
        "dataset": "markets",
        "slot": received_at.replace(second=0),
        "page": 1,
        "url": "https://example.org/coins/markets",
        "params": (),
        "status": 200,
        "headers": {},
        "body": f"[{position}]".encode(),
        "requested_at": received_at,
        "received_at": received_at,
        "run_id": "run",
        "plugin_version": "1",
        "traceparent": "",
    }
    return Held(position, Capture(**fields | changed))


def quote(of: Held, path: str = "/0", **changed: Any) -> dict[str, Any]:
    """A row of `model.QUOTES` that says what bitcoin cost when the capture was received."""
    return {
        "source": of.capture.source,
        "asset": "bitcoin",
        "quote_currency": "usd",
        "granularity": "live",
        "as_of": of.capture.received_at,
        "fetched_at": of.capture.received_at,
        "price": "67123.45",
        "synthetic": of.capture.synthetic,
        "capture_id": str(of.capture.id),
        "path": path,
        **changed,
    }


def candle(of: Held, **changed: Any) -> dict[str, Any]:
    """A row of `model.CANDLES` that a capture tells of a bitcoin."""
    return {
        "source": of.capture.source,
        "asset": "BTC",
        "quote_currency": "usdt",
        "interval": "5m",
        "open_time": OPENED,
        "open": "67000.10",
        "high": "67001",
        "low": "66999",
        "close": "67000.1000000000000000001",
        "volume": "1.50",
        "trades": "12",
        "fetched_at": of.capture.received_at,
        "extra": '{"9":"1.0"}',
        "synthetic": False,
        "capture_id": str(of.capture.id),
        "path": "/0",
        **changed,
    }


def instrument(of: Held, **changed: Any) -> dict[str, Any]:
    """A row of `model.INSTRUMENTS` that a capture tells of bitcoin against USDT."""
    return {
        "source": of.capture.source,
        "instrument": "BTCUSDT",
        "asset": "BTC",
        "quote_currency": "usdt",
        "status": "TRADING",
        "price_step": "0.01000000",
        "amount_step": "0.00001000",
        "fetched_at": of.capture.received_at,
        "extra": "{}",
        "synthetic": False,
        "capture_id": str(of.capture.id),
        "path": "/symbols/0",
        **changed,
    }


def reject(of: Held, path: str = "/0", **changed: Any) -> dict[str, Any]:
    """A row of `model.REJECTS`."""
    return {
        "capture_id": str(of.capture.id),
        "path": path,
        "stage": "validate",
        "reasons": ["price_not_negative: -1"],
        "original": b'{"price":-1}',
        **changed,
    }


def decoded(
    quotes: Iterable[dict[str, Any]] = (),
    rejects: Iterable[dict[str, Any]] = (),
    candles: Iterable[dict[str, Any]] = (),
    instruments: Iterable[dict[str, Any]] = (),
) -> Decoded:
    """The Arrow form of such rows."""
    return Decoded(
        pa.RecordBatch.from_pylist(list(quotes), schema=QUOTES),
        pa.RecordBatch.from_pylist(list(rejects), schema=REJECTS),
        pa.RecordBatch.from_pylist(list(candles), schema=CANDLES),
        pa.RecordBatch.from_pylist(list(instruments), schema=INSTRUMENTS),
    )


def batch(
    captures: Sequence[Held],
    quotes: Iterable[dict[str, Any]] = (),
    rejects: Iterable[dict[str, Any]] = (),
    **changed: Any,
) -> Batch:
    """A tail batch of the captures, read right behind the position before the first."""
    fields: dict[str, Any] = {
        "kind": "tail",
        "lake_id": LAKE,
        "after": captures[0].position - 1,
        "captures": captures,
        "decoded": decoded(quotes, rejects),
        "started_at": MIDNIGHT,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return Batch(**fields | changed)


def rows(dsn: str, query: str) -> list[Any]:
    """What the warehouse answers to a query; single columns without their tuples."""
    with connect(dsn, "test") as connection:
        answer = connection.execute(query).fetchall()
    return [row[0] if len(row) == 1 else row for row in answer]
