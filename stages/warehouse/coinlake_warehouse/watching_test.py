"""What a warehouse tells: to engines with each batch, to whoever watches, and of the way of one capture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from coinlake.telemetry import metrics
from coinlake.warehouse import BrokenRule
from coinlake_warehouse.conftest import MIDNIGHT, batch, held, quote, reject
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.reading import Reader
from coinlake_warehouse.verifications import Verification, keep
from coinlake_warehouse.watching import watch
from coinlake_warehouse.ways import Ways

FOUND = Verification(
    MIDNIGHT, 1.5, captures=9, pending=1, missing=0, doubled=0, different=2, extra=0, damaged=0, lost=3
)


@pytest.fixture
def warehouse(dsn: str) -> Iterator[PostgresWarehouse]:
    with PostgresWarehouse(dsn) as warehouse:
        yield warehouse


def seen(dsn: str) -> dict[tuple[str, ...], float]:
    """What is seen now, by metric and labels."""
    with Reader(dsn) as reader:
        return {(metric.name, *map(str, labels.values())): amount for metric, amount, labels in watch(reader)}


def test_a_batch_tells_when_its_captures_were_received_and_which_rules_were_broken(
    warehouse: PostgresWarehouse,
) -> None:
    first, second, other = held(1, 0), held(2, 3), held(3, 4, source="binance")
    rejects = [
        reject(first, "/1"),
        reject(first, "/2", reasons=["price_not_negative: -2", "missing_key: id"]),
        reject(other, "", stage="decode", reasons=["not_json: nothing"]),
    ]
    loaded = warehouse.load(batch([first, second, other], [quote(first)], rejects))
    assert {source: sorted(moments) for source, moments in loaded.received.items()} == {
        "coingecko": [MIDNIGHT, MIDNIGHT + timedelta(minutes=3)],
        "binance": [MIDNIGHT + timedelta(minutes=4)],
    }
    assert loaded.broken_rules == {
        BrokenRule("coingecko", "validate", "price_not_negative"): 2,
        BrokenRule("coingecko", "validate", "missing_key"): 1,
        BrokenRule("binance", "decode", "not_json"): 1,
    }


def test_freshness_is_the_market_s_time_and_apart_from_it_ours(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one = held(1, 10)
    warehouse.load(batch([one], [quote(one, as_of=MIDNIGHT)], [reject(one, "/1")]))
    assert seen(dsn) == {
        (metrics.MARKET_TIME.name, "coingecko"): MIDNIGHT.timestamp(),
        (metrics.FETCHED_TIME.name, "coingecko"): MIDNIGHT.timestamp() + 600,
        (metrics.DEAD_LETTERS_OPEN.name, "coingecko", "price_not_negative"): 1,
    }


def test_the_newest_verification_of_all_captures_is_what_counts(dsn: str) -> None:
    later = datetime(2026, 1, 1, tzinfo=UTC)
    keep(dsn, FOUND, is_whole=True)
    keep(dsn, Verification(later, 1, 1, 0, 0, 0, 0, 0, 0, 0), is_whole=False)
    numbers = seen(dsn)
    assert numbers[metrics.VERIFIED.name,] == MIDNIGHT.timestamp()
    assert numbers[metrics.VERIFY_CLEAN.name,] == 0
    assert numbers[metrics.VERIFY_CAPTURES.name,] == 9
    assert numbers[metrics.VERIFY_DURATION.name,] == 1.5
    kinds = ("missing", "doubled", "different", "extra", "damaged", "lost")
    assert [numbers[metrics.VERIFY_DIFFERENCES.name, kind] for kind in kinds] == [0, 0, 2, 0, 0, 3]
    keep(dsn, Verification(later, 1, 1, 0, 0, 0, 0, 0, 0, 0), is_whole=True)
    assert seen(dsn)[metrics.VERIFY_CLEAN.name,] == 1


def test_the_way_of_a_capture_is_found_with_its_position_and_without(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one, two = held(1), held(2, 1)
    warehouse.load(batch([one, two], [quote(one), quote(two)], [reject(two, "/1")]))
    with Ways(dsn) as ways:
        way = ways.way(two.capture.id, 2)
        assert way == ways.way(two.capture.id, None)
        assert way is not None
        assert (way.position, way.batch_id, way.captures, way.dead_letters) == (2, 1, 2, 1)
        assert way.started_at == MIDNIGHT
        assert ways.way(two.capture.id, 1) is None


def test_the_capture_behind_a_quote_is_that_of_its_moment_or_the_newest(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one, two = held(1), held(2, 1)
    warehouse.load(batch([one, two], [quote(one), quote(two)]))
    bitcoin = ("coingecko", "bitcoin", "usd")
    with Ways(dsn) as ways:
        assert ways.capture_of(*bitcoin, None) == two.capture.id
        assert ways.capture_of(*bitcoin, MIDNIGHT) == one.capture.id
        assert ways.capture_of(*bitcoin, MIDNIGHT + timedelta(seconds=1)) is None
        assert ways.capture_of("coingecko", "ether", "usd", None) is None
