from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import INTERVALS
from coinlake_warehouse.reading import Key, Order, Reader

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)
CAPTURE = UUID(int=7)
BITCOIN = Key("coingecko", "bitcoin", "usd")


@pytest.fixture
def reader(dsn: str) -> Iterator[Reader]:
    with Reader(dsn) as reader:
        yield reader


def insert(dsn: str, table: str, rows: Sequence[dict[str, Any]]) -> None:
    with psycopg.connect(dsn, options="-c search_path=coinlake") as connection:
        for row in rows:
            columns = ", ".join(f'"{name}"' for name in row)
            values = ", ".join(f"%({name})s" for name in row)
            connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row)


def quote(asset: str, **given: Any) -> dict[str, Any]:
    return {
        "source": "coingecko",
        "asset": asset,
        "quote_currency": "usd",
        "granularity": "live",
        "as_of": NOON,
        "fetched_at": NOON + timedelta(seconds=40),
        "symbol": asset[:3],
        "name": asset.title(),
        "synthetic": False,
        "capture_id": CAPTURE,
        "path": "/0",
        **given,
    }


def candle(interval: str, open_time: datetime, close: str, asset: str = "bitcoin") -> dict[str, Any]:
    return {
        "source": "coingecko",
        "asset": asset,
        "quote_currency": "usd",
        "interval": interval,
        "open_time": open_time,
        **dict.fromkeys(("open", "high", "low", "close"), Decimal(close)),
        "quotes": 1,
        "first_as_of": open_time,
        "last_as_of": open_time,
        "synthetic": False,
    }


def letter(path: str, reasons: list[str], **given: Any) -> dict[str, Any]:
    return {
        "capture_id": CAPTURE,
        "path": path,
        "stage": "validate",
        "source": "coingecko",
        "dataset": "markets",
        "slot": NOON,
        "reasons": reasons,
        "original": b"\xff\x00{}",
        "received_at": NOON,
        "rejected_at": NOON,
        **given,
    }


def batch(captures: int, quotes_new: int, kind: str = "tail") -> dict[str, Any]:
    return {
        "kind": kind,
        "first_position": 1,
        "last_position": 2,
        "captures": captures,
        "quotes_read": 100,
        "quotes_new": quotes_new,
        "rejects": 0,
        "candles": 300,
        "oldest_received_at": NOON,
        "started_at": NOON + timedelta(seconds=1),
        "committed_at": NOON + timedelta(seconds=2.5),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


def test_an_empty_warehouse_answers_every_question(reader: Reader) -> None:
    assert reader.newest_batch() == 0
    totals = reader.totals()
    assert (totals.captures, totals.quotes, totals.batches, totals.dead_letters, totals.position) == (0,) * 5
    for rows in (reader.freshness(), reader.latest(), reader.batches(), reader.rules_broken()):
        assert not rows
    assert reader.candles(BITCOIN, "1d") == []
    assert not reader.closes([BITCOIN], until=NOON).of
    assert not reader.closes([], until=NOON).of
    assert reader.dead_letter(CAPTURE, "", limit_bytes=10) is None


def test_totals_add_up_batches_and_count_a_replayed_capture_once(dsn: str, reader: Reader) -> None:
    insert(dsn, "batches", [batch(3, 300), batch(1, 100), batch(1, 2, "replay")])
    insert(dsn, "latest_quotes", [quote("bitcoin"), quote("ether")])
    insert(dsn, "dead_letters", [letter("/1", ["a: b"]), letter("/2", ["a: b"], resolved_at=NOON)])
    totals = reader.totals()
    assert (totals.captures, totals.quotes, totals.batches) == (4, 402, 3)
    assert (totals.assets, totals.dead_letters) == (2, 1)
    assert reader.newest_batch() == 3


def test_what_is_loaded_counts_captures_behind_one_that_is_missing(dsn: str, reader: Reader) -> None:
    assert reader.loaded(9) == 0
    insert(dsn, "position", [{"position": 3, "lake_id": UUID(int=1)}])
    capture = {"source": "coingecko", "dataset": "markets", "slot": NOON, "batch_id": 1}
    positions = (1, 2, 3, 5, 6, 8)
    insert(
        dsn,
        "loaded_captures",
        [capture | {"position": position, "capture_id": UUID(int=position)} for position in positions],
    )
    assert [reader.loaded(until) for until in (2, 3, 4, 7, 9)] == [2, 3, 3, 5, 6]


def test_offsets_are_those_of_the_very_topic(dsn: str, reader: Reader) -> None:
    offset = {"topic": "captures", "topic_id": "one"}
    insert(
        dsn, "bus_offsets", [offset | {"partition": number, "next_offset": 7 + number} for number in (0, 2)]
    )
    assert reader.bus_offsets("captures", "one") == {0: 7, 2: 9}
    assert reader.bus_offsets("captures", "made again") == {}


def test_freshness_tells_each_sources_newest_market_time_and_receipt(dsn: str, reader: Reader) -> None:
    old = NOON - timedelta(days=3)
    insert(
        dsn,
        "latest_quotes",
        [
            quote("bitcoin"),
            quote("stale", as_of=old, fetched_at=old),
            quote("x", source="venue", synthetic=True),
        ],
    )
    coingecko, venue = reader.freshness()
    assert (coingecko.source, coingecko.assets, coingecko.newest_as_of) == ("coingecko", 2, NOON)
    assert coingecko.newest_fetched_at == NOON + timedelta(seconds=40)
    assert (coingecko.synthetic, venue.synthetic) == (False, True)


def test_amounts_come_out_digit_for_digit_and_null_stays_none(dsn: str, reader: Reader) -> None:
    insert(dsn, "latest_quotes", [quote("tiny", price=Decimal("2.8390E-9"), market_cap=None)])
    [tiny] = reader.latest()
    assert str(tiny.price) == "2.8390E-9"
    assert tiny.market_cap is None


def test_latest_quotes_are_found_by_any_part_of_name_symbol_or_id(dsn: str, reader: Reader) -> None:
    insert(dsn, "latest_quotes", [quote("bitcoin"), quote("ether", name="100%_Ether"), quote("_", name=None)])
    assert [found.asset for found in reader.latest("BITC")] == ["bitcoin"]
    assert [found.asset for found in reader.latest("%_e")] == ["ether"]
    assert [found.found for found in reader.latest("t", limit=1)] == [2]
    assert reader.latest("nothing like it") == []


@pytest.mark.parametrize(
    ("order", "descending", "expected"),
    [
        ("price", False, ["low", "high", "none"]),
        ("price", True, ["high", "low", "none"]),
        ("name", False, ["high", "low", "none"]),
        ("rank", False, ["high", "low", "none"]),
    ],
)
def test_latest_quotes_sort_exactly_with_what_is_missing_last(
    dsn: str, reader: Reader, order: Order, descending: bool, expected: list[str]
) -> None:
    insert(
        dsn,
        "latest_quotes",
        [
            quote("none"),
            # Equal as doubles.
            quote("high", price=Decimal("0.10000000000000000002"), rank=1),
            quote("low", price=Decimal("0.10000000000000000001"), rank=2),
        ],
    )
    assert [found.asset for found in reader.latest(order=order, descending=descending)] == expected


def test_pages_of_latest_quotes_meet_without_gap_or_overlap(dsn: str, reader: Reader) -> None:
    insert(dsn, "latest_quotes", [quote(f"coin-{n}") for n in range(7)])
    pages = [reader.latest(limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [found.asset for page in pages for found in page] == [f"coin-{n}" for n in range(7)]


def test_an_asset_shows_in_every_currency_it_is_quoted_in(dsn: str, reader: Reader) -> None:
    insert(dsn, "latest_quotes", [quote("bitcoin"), quote("bitcoin", quote_currency="eth"), quote("ether")])
    assert [each.key.quote_currency for each in reader.latest_of_asset("coingecko", "bitcoin")] == [
        "eth",
        "usd",
    ]


@pytest.mark.parametrize(
    ("spacing", "span", "expected"),
    [
        (timedelta(minutes=5), timedelta(hours=2), "5m"),
        (timedelta(minutes=5), timedelta(hours=30), "1h"),
        (timedelta(days=1), timedelta(days=40), "1d"),
    ],
)
def test_sparklines_take_the_interval_that_fits_how_long_quotes_have_come(
    dsn: str, reader: Reader, spacing: timedelta, span: timedelta, expected: str
) -> None:
    moments = [NOON - spacing * n for n in range(span // spacing)]
    buckets = {
        (interval, moment - (moment - NOON.replace(hour=0)) % length)
        for interval, length in INTERVALS.items()
        for moment in moments
    }
    insert(dsn, "candles", [candle(interval, opened, "1.0") for interval, opened in sorted(buckets)])
    closes = reader.closes([BITCOIN], until=NOON)
    assert closes.interval == expected
    drawn = [opened for opened, _ in closes.of[BITCOIN]]
    assert drawn == sorted(drawn)
    assert drawn[0] > NOON - closes.span


def test_sparklines_read_a_few_candles_of_each_asset_and_never_all(dsn: str, reader: Reader) -> None:
    keys = [Key("coingecko", f"coin-{n}", "usd") for n in range(50)]
    with psycopg.connect(dsn, options="-c search_path=coinlake", autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO candles
            SELECT 'coingecko', 'coin-' || n, 'usd', '5m', at, 1, 1, 1, 1, NULL, NULL, 1, at, at, false
            FROM generate_series(0, 49) AS n,
                 generate_series(timestamptz '2024-12-07Z', '2024-12-14Z', '5 min') AS at
            """
        )
        connection.execute("ANALYZE candles")
        reader.closes(keys, until=NOON)
        # The statistics of this very session's scans, which are sent when it ends.
        reader.close()
        scans = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'candles'"
        deadline = time.monotonic() + 10
        while True:
            whole, by_index = connection.execute(scans).fetchall()[0]
            if by_index or time.monotonic() > deadline:
                break
            connection.execute("SELECT pg_stat_clear_snapshot()")
    assert by_index >= len(keys)
    assert whole <= 2, "only the analysis reads the whole table"


def test_candles_come_oldest_first_and_end_where_asked(dsn: str, reader: Reader) -> None:
    days = [NOON.replace(hour=0) - timedelta(days=n) for n in range(5)]
    insert(dsn, "candles", [candle("1d", day, str(n)) for n, day in enumerate(days)])
    assert [each.close for each in reader.candles(BITCOIN, "1d", limit=2)] == [Decimal(1), Decimal(0)]
    assert [each.open_time for each in reader.candles(BITCOIN, "1d", until=days[3])] == [days[4], days[3]]
    assert reader.candles(BITCOIN, "1h") == []


def test_open_dead_letters_are_listed_counted_and_found_by_rule(dsn: str, reader: Reader) -> None:
    older = NOON - timedelta(hours=1)
    insert(
        dsn,
        "dead_letters",
        [
            letter("/0", ["price_negative: -1", "rank_odd: x"]),
            letter("/1", ["price_negative: -2"], rejected_at=older, source="venue"),
            letter("/2", ["price_negative: -3"], resolved_at=NOON),
        ],
    )
    assert [each.path for each in reader.dead_letters()] == ["/0", "/1"]
    assert [each.path for each in reader.dead_letters(rule="rank_odd")] == ["/0"]
    assert [each.path for each in reader.dead_letters(source="venue")] == ["/1"]
    assert reader.dead_letter_keys(rule="price_negative") == [(CAPTURE, "/1"), (CAPTURE, "/0")]
    slot = reader.dead_letters()[0].slot
    assert len(reader.dead_letter_keys(since=slot)) == 2
    assert reader.dead_letter_keys(until=slot) == []
    assert [(each.source, each.rule, each.letters) for each in reader.rules_broken()] == [
        ("coingecko", "price_negative", 1),
        ("coingecko", "rank_odd", 1),
        ("venue", "price_negative", 1),
    ]


def test_a_dead_letter_shows_its_bytes_up_to_a_limit_and_their_whole_length(dsn: str, reader: Reader) -> None:
    insert(dsn, "dead_letters", [letter("", ["a: b"], original=b"\xff" * 100)])
    found = reader.dead_letter(CAPTURE, "", limit_bytes=30)
    assert found is not None
    assert (found.original, found.original_bytes) == (b"\xff" * 30, 100)


def test_a_batch_tells_its_lag_and_its_trace(dsn: str, reader: Reader) -> None:
    insert(dsn, "batches", [batch(1, 100), batch(1, 100) | {"traceparent": ""}])
    newest, oldest = reader.batches()
    assert oldest.lag == timedelta(seconds=2.5)
    assert (oldest.trace_id, newest.trace_id) == ("0af7651916cd43dd8448eb211c80319c", "")
    assert [each.batch_id for each in reader.batches(before=newest.batch_id)] == [oldest.batch_id]


def test_a_reader_cannot_write(reader: Reader) -> None:
    with reader._connection() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM batches")


def test_a_reader_goes_on_after_the_server_dropped_its_connections(server: str, reader: Reader) -> None:
    assert reader.newest_batch() == 0
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coinlake read'"
        )
    assert reader.newest_batch() == 0


def test_a_server_that_is_away_is_worth_another_try(server: str) -> None:
    with pytest.raises(TryAgain, match="cannot be used now"):
        Reader(make_conninfo(server, host="127.0.0.1", port="1")).newest_batch()


def test_a_database_without_tables_says_what_to_do(empty_database: str) -> None:
    with pytest.raises(FixConfiguration, match="`coinlake run` makes them"):
        Reader(empty_database).newest_batch()
