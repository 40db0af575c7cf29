"""The questions of alerts, on a real server: by market time, of fresh rows, by name of the map."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from coinlake_warehouse.conftest import MIDNIGHT, batch, held, quote
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.reading import Reader

DAY = timedelta(days=1)
NOW = MIDNIGHT + 2 * DAY


@pytest.fixture
def reader(dsn: str) -> Iterator[Reader]:
    with psycopg.connect(dsn, options="-c search_path=coinlake") as session:
        session.execute("INSERT INTO assets (asset, name) VALUES ('bitcoin', 'Bitcoin')")
        for source, name in (("coingecko", "bitcoin"), ("binance", "BTC")):
            session.execute(
                "INSERT INTO asset_names (asset, source, venue_asset, since, until)"
                " VALUES ('bitcoin', %s, %s, '-infinity', 'infinity')",
                (source, name),
            )
    with Reader(dsn) as reader:
        yield reader


def load(dsn: str, *rows: dict[str, Any]) -> None:
    """Loads quotes of a first capture, all at once."""
    with PostgresWarehouse(dsn) as warehouse:
        position = warehouse.position(batch([held(1)]).lake_id)
        one = held(position + 1, minute=position)
        warehouse.load(batch([one], [{**quote(one, f"/{n}"), **row} for n, row in enumerate(rows)]))


def priced(price: str, ago: timedelta, **more: Any) -> dict[str, Any]:
    return {"price": price, "as_of": NOW - ago, **more}


def test_a_change_is_from_the_price_a_day_before_by_the_source_s_own_clock(dsn: str, reader: Reader) -> None:
    load(
        dsn,
        priced("100", DAY + timedelta(minutes=61)),  # too old to say what it was a day before
        priced("80", DAY + timedelta(minutes=5)),
        priced("90", DAY - timedelta(seconds=1)),  # not a day before
        priced("72.000000000000000001", timedelta()),
        priced("7", timedelta(), asset="ether"),
    )
    (change,) = reader.changes_24h("bitcoin")
    assert (change.source, change.quote_currency, change.as_of) == ("coingecko", "usd", NOW)
    assert change.change == pytest.approx(Decimal("-0.1"), abs=Decimal("1e-12"))


@pytest.mark.parametrize(
    "rows",
    [
        [priced("100", timedelta())],
        [priced("100", DAY + timedelta(hours=2)), priced("1", timedelta())],
        [priced("100", DAY, granularity="24h"), priced("1", timedelta())],
        [priced("100", DAY, quote_currency="eur"), priced("1", timedelta(), quote_currency="eur")],
        [priced("100", DAY, synthetic=True), priced("1", timedelta(), synthetic=True)],
        [priced("100", DAY, asset="BTC"), priced("1", timedelta(), asset="BTC")],
        [],
    ],
)
def test_where_nothing_can_be_compared_there_is_no_change(
    dsn: str, reader: Reader, rows: list[dict[str, Any]]
) -> None:
    if rows:
        load(dsn, *rows)
    assert reader.changes_24h("bitcoin") == []


def test_each_source_and_dollar_has_a_change_of_its_own(dsn: str, reader: Reader) -> None:
    venue = {"source": "binance", "asset": "BTC", "quote_currency": "usdt"}
    load(
        dsn,
        priced("100", DAY),
        priced("90", timedelta()),
        priced("50", DAY, **venue),
        priced("100", timedelta(), **venue),
    )
    assert [(one.source, one.change) for one in reader.changes_24h("bitcoin")] == [
        ("binance", Decimal(1)),
        ("coingecko", Decimal("-0.1")),
    ]


def test_the_newest_row_is_of_the_last_batch_that_brought_something_new(dsn: str, reader: Reader) -> None:
    assert reader.newest_row_at() is None
    load(dsn, priced("100", timedelta()))
    first = reader.newest_row_at()
    assert first is not None
    load(dsn, priced("100", timedelta()))  # the same moment once more: the first answer stands
    assert reader.newest_row_at() == first
    load(dsn, priced("101", -timedelta(minutes=1)))
    assert (reader.newest_row_at() or first) > first
