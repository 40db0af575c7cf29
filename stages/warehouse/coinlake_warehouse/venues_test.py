"""Several venues in one warehouse, on a real server: their candles, what they trade, and prices compared."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any, get_args

import pytest

from coinlake.assets import Asset, AssetName
from coinlake.errors import Refused
from coinlake.model import Decoded, Held
from coinlake_warehouse.assets import sync_assets
from coinlake_warehouse.conftest import (
    LAKE,
    MIDNIGHT,
    OPENED,
    batch,
    candle,
    decoded,
    held,
    instrument,
    quote,
    rows,
)
from coinlake_warehouse.connection import connect
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.reading import Reader
from coinlake_warehouse.verify import Kind, Refined, verify


def said(candles: list[dict[str, Any]], instruments: list[dict[str, Any]] | None = None) -> Decoded:
    return decoded(candles=candles, instruments=instruments or [])


def binance(position: int, minute: float = 0) -> Held:
    return held(position, minute, source="binance", dataset="klines")


def test_candles_and_instruments_keep_their_digits_and_nulls(dsn: str) -> None:
    one = binance(1)
    with PostgresWarehouse(dsn) as warehouse:
        loaded = warehouse.load(batch([one], decoded=said([candle(one)], [instrument(one)])))
    assert (loaded.venue_candles, loaded.instruments) == (1, 1)
    assert rows(dsn, "SELECT close::text, quote_volume, trades, extra::text FROM venue_candles") == [
        ("67000.1000000000000000001", None, 12, '{"9":"1.0"}')
    ]
    assert rows(dsn, "SELECT instrument, price_step::text, status FROM instruments") == [
        ("BTCUSDT", "0.01000000", "TRADING")
    ]
    assert rows(dsn, "SELECT venue_candles, instruments FROM batches") == [(1, 1)]


def test_of_several_answers_the_last_stands_whatever_the_order_and_the_batches(fresh: Any) -> None:
    answers = [(binance(1, 0), "1"), (binance(2, 5), "2"), (binance(3, 10), "3")]
    for together in (True, False):
        for order in permutations(answers):
            dsn = fresh()
            moved = [(Held(place, each.capture), close) for place, (each, close) in enumerate(order, 1)]
            with PostgresWarehouse(dsn) as warehouse:
                for part in [moved] if together else [[each] for each in moved]:
                    refined = said(
                        [candle(each, close=close) for each, close in part],
                        [instrument(each, status=close) for each, close in part],
                    )
                    warehouse.load(batch([each for each, _ in part], decoded=refined))
            assert rows(dsn, "SELECT close::text FROM venue_candles") == ["3"]
            assert rows(dsn, "SELECT status FROM instruments") == ["3"]


def test_a_value_that_the_server_refuses_loads_nothing_of_its_batch(dsn: str) -> None:
    one = binance(1)
    refined = said([candle(one)], [instrument(one, price_step="much")])
    with PostgresWarehouse(dsn) as warehouse, pytest.raises(Refused, match="much"):
        warehouse.load(batch([one], decoded=refined))
    assert rows(dsn, "SELECT count(*) FROM venue_candles") == [0]


def _copied(table: str, **changed: str) -> str:
    """A statement that adds each row of a table once more, with some columns changed."""
    other = f"jsonb_populate_record(row, '{json.dumps(changed)}')"
    return f"INSERT INTO {table} SELECT ({other}).* FROM {table} AS row"


@pytest.mark.parametrize(
    ("damage", "table", "kind"),
    [
        ("DELETE FROM venue_candles", "venue_candles", "missing"),
        ("UPDATE venue_candles SET close = 1", "venue_candles", "different"),
        (_copied("venue_candles", asset="ETH"), "venue_candles", "doubled"),
        (_copied("venue_candles", asset="ETH", path="/9"), "venue_candles", "extra"),
        ("DELETE FROM instruments", "instruments", "missing"),
        ("UPDATE instruments SET status = 'BREAK'", "instruments", "different"),
        (_copied("instruments", instrument="ETHUSDT"), "instruments", "doubled"),
        (_copied("instruments", instrument="ETHUSDT", path="/9"), "instruments", "extra"),
    ],
)
def test_verify_names_what_is_wrong_with_candles_and_instruments(
    dsn: str, damage: str, table: str, kind: str
) -> None:
    one = binance(1)
    refined = said([candle(one)], [instrument(one)])
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([one], decoded=refined))
    assert verify(dsn, LAKE, [Refined([one], refined)]).clean
    with connect(dsn, "damage") as connection:
        connection.execute(damage.encode())
    report = {each.table: each for each in verify(dsn, LAKE, [Refined([one], refined)]).tables}
    assert [each for each in get_args(Kind) if getattr(report[table], each)] == [kind]
    assert report[table].examples[0].table == table


def test_a_range_is_clean_where_a_later_answer_from_outside_stands(dsn: str) -> None:
    early, late = binance(1, 0), binance(2, 5)
    of_early, of_late = said([candle(early, close="1")]), said([candle(late, close="2")])
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([early], decoded=of_early))
        warehouse.load(batch([late], decoded=of_late))
    assert verify(dsn, LAKE, [Refined([early], of_early)], whole=False).clean


MAP = (
    Asset("bitcoin", "Bitcoin", "btc", (AssetName("coingecko", "bitcoin"), AssetName("binance", "BTC"))),
    Asset("tether", "Tether", "usdt", (AssetName("coingecko", "tether"),)),
)


def test_the_map_becomes_what_the_program_has_and_stays_untouched_where_it_is_the_same(dsn: str) -> None:
    moved = datetime(2022, 5, 28, tzinfo=UTC)
    luna = Asset("terra", "Terra", None, (AssetName("binance", "LUNA", moved),))
    sync_assets(dsn, [*MAP, luna])
    before = rows(dsn, "SELECT xmin::text FROM asset_names ORDER BY 1")
    sync_assets(dsn, [*MAP, luna])
    assert rows(dsn, "SELECT xmin::text FROM asset_names ORDER BY 1") == before
    assert rows(dsn, "SELECT since FROM asset_names WHERE venue_asset = 'LUNA'") == [moved]
    sync_assets(dsn, MAP)
    assert rows(dsn, "SELECT count(*) FROM asset_names WHERE venue_asset = 'LUNA'") == [0]


@pytest.fixture
def compared(dsn: str) -> str:
    """Bitcoin at CoinGecko in dollars and at Binance in USDT; a USDT is worth 0.999 dollars."""
    gecko, own = held(1, -8), binance(2)
    quotes = [
        quote(gecko, "/0", price="67000"),
        quote(gecko, "/1", asset="tether", price="0.999"),
        quote(gecko, "/2", asset="nobody", price="1"),
    ]
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([gecko], decoded=decoded(quotes)))
        of_own = [candle(own, close="67100"), candle(own, asset="XYZ", close="1")]
        warehouse.load(batch([own], decoded=said(of_own, [instrument(own), instrument(own, instrument="X")])))
    sync_assets(dsn, MAP)
    return dsn


def test_prices_are_compared_in_dollars_exactly_and_their_currencies_difference_is_shown(
    compared: str,
) -> None:
    with Reader(compared) as reader:
        own, gecko = reader.comparison("bitcoin", "5m", buckets=10)
    assert (own.source, own.quote_currency, own.price) == ("binance", "usdt", Decimal(67100))
    assert (own.usd_rate, own.price_usd) == (Decimal("0.999"), Decimal("67032.900"))
    assert own.median_usd == gecko.median_usd == Decimal("67016.45")
    assert (own.distance_bp, gecko.distance_bp) == (Decimal("2.45"), Decimal("-2.45"))
    assert own.face_distance_bp == Decimal("12.47")
    assert gecko.face_distance_bp is None
    assert (own.legs, gecko.age) == (2, timedelta(minutes=3))


def test_a_price_in_a_currency_that_nobody_priced_is_shown_and_left_out_of_the_median(compared: str) -> None:
    with connect(compared, "damage") as connection:
        connection.execute("DELETE FROM candles WHERE asset = 'tether'")
    with Reader(compared) as reader:
        own, gecko = reader.comparison("bitcoin", "5m", buckets=10)
        assert reader.widest_gaps("5m", limit=5) == []
    assert (own.price, own.usd_rate, own.price_usd, own.distance_bp) == (Decimal(67100), None, None, None)
    assert (gecko.median_usd, gecko.legs) == (Decimal(67000), 1)


def test_the_widest_gap_is_between_the_lowest_and_the_highest_price(compared: str) -> None:
    with Reader(compared) as reader:
        (gap,) = reader.widest_gaps("5m", limit=5)
    assert (gap.lowest.source, gap.highest.source) == ("coingecko", "binance")
    assert gap.width_bp == Decimal("4.90")
    assert gap.behind == timedelta()


def _go_on(dsn: str, minutes: float) -> None:
    """One more price at each venue: at CoinGecko so many minutes on, at Binance five minutes after that."""
    gecko, own = held(3, minutes - 10), binance(4, minutes)
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([gecko], [quote(gecko)]))
        later = candle(own, open_time=OPENED + timedelta(minutes=minutes + 5))
        warehouse.load(batch([own], decoded=said([later])))


@pytest.mark.parametrize(("minutes", "behind"), [(5, [10]), (55, [60]), (60, [])])
def test_a_gap_is_taken_where_two_venues_have_a_price_unless_that_was_too_long_ago(
    compared: str, minutes: float, behind: list[float]
) -> None:
    _go_on(compared, minutes)
    with Reader(compared) as reader:
        gaps = reader.widest_gaps("5m", limit=5)
    assert [gap.behind for gap in gaps] == [timedelta(minutes=each) for each in behind]
    assert {gap.lowest.open_time for gap in gaps} <= {OPENED}


def test_prices_of_another_asset_that_took_over_the_name_open_no_gap(compared: str) -> None:
    _go_on(compared, 90)
    ends = AssetName("binance", "BTC", until=OPENED + timedelta(minutes=5))
    bitcoin = Asset("bitcoin", "Bitcoin", "btc", (AssetName("coingecko", "bitcoin"), ends))
    sync_assets(compared, [bitcoin, MAP[1]])
    with Reader(compared) as reader:
        (gap,) = reader.widest_gaps("5m", limit=5)
    assert (gap.lowest.open_time, gap.behind) == (OPENED, timedelta(minutes=90))


def test_a_name_means_an_asset_only_in_its_time(compared: str) -> None:
    later = AssetName("binance", "BTC", since=OPENED + timedelta(days=1))
    sync_assets(compared, [Asset("bitcoin", "Bitcoin", "btc", (AssetName("coingecko", "bitcoin"), later))])
    with Reader(compared) as reader:
        assert [leg.source for leg in reader.comparison("bitcoin", "5m", buckets=10)] == ["coingecko"]


def test_what_the_map_does_not_name_is_listed(compared: str) -> None:
    with Reader(compared) as reader:
        assert [(each.source, each.asset) for each in reader.unmapped()] == [("coingecko", "nobody")]
    sync_assets(compared, [])
    with Reader(compared) as reader:
        found = {(each.source, each.asset, each.instrument) for each in reader.unmapped()}
    assert ("binance", "BTC", "BTCUSDT") in found


@pytest.mark.parametrize(
    ("since", "until", "listed"),
    [
        (None, MIDNIGHT, {"binance"}),
        (MIDNIGHT, None, {"coingecko"}),
        (MIDNIGHT + timedelta(seconds=1), None, {"binance", "coingecko"}),
        (MIDNIGHT - timedelta(minutes=8), MIDNIGHT, {"binance"}),
        (MIDNIGHT - timedelta(minutes=8), MIDNIGHT + timedelta(seconds=1), set()),
    ],
)
def test_a_name_out_of_its_time_counts_as_unmapped(
    compared: str, since: datetime | None, until: datetime | None, listed: set[str]
) -> None:
    """The quote was true eight minutes before midnight; the instrument was fetched at midnight."""
    names = [("coingecko", "bitcoin"), ("coingecko", "tether"), ("coingecko", "nobody"), ("binance", "BTC")]
    asset = Asset("any", "Any", None, tuple(AssetName(*each, since, until) for each in names))
    sync_assets(compared, [asset])
    with Reader(compared) as reader:
        assert {each.source for each in reader.unmapped()} == listed


def test_the_venues_own_candle_stands_before_the_one_made_of_its_quotes(compared: str) -> None:
    own = binance(3, 5)
    as_quoted = quote(own, asset="BTC", quote_currency="usdt", as_of=OPENED, price="1")
    with PostgresWarehouse(compared) as warehouse:
        warehouse.load(batch([own], [as_quoted]))
    stands = "SELECT origin, close FROM market_candles WHERE asset = 'BTC' AND \"interval\" = "
    assert rows(compared, stands + "'5m'") == [("venue", Decimal(67100))]
    assert rows(compared, stands + "'1h'") == [("quotes", Decimal(1))]
