"""Months of quotes that leave, on a real server: nothing else changes, and nothing brings them back."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pyarrow as pa
import pytest

from coinlake.errors import TryAgain
from coinlake.model import Decoded, Held, capture_batch
from coinlake_warehouse.attempts import Stager
from coinlake_warehouse.closing import BusLoader, Stretch, Topic
from coinlake_warehouse.conftest import LAKE, MIDNIGHT, batch, decoded, held, quote, rows
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.retention import first_of_month, months_before, prune
from coinlake_warehouse.verify import Refined, Report, verify

THIS_MONTH = first_of_month(MIDNIGHT)
LAST_MONTH = THIS_MONTH - timedelta(hours=1)
FIRST, SECOND, LATE = held(1, 0), held(2, 3), held(3, 6)
WHAT_STAYS = ("candles", "latest_quotes", "dead_letters", "loaded_captures")


def told(capture: Held) -> Decoded:
    """Each capture tells of the present, and of a moment of last month; of one asset it tells only that."""
    return decoded(
        [
            quote(capture, "/0"),
            quote(capture, "/1", as_of=LAST_MONTH + timedelta(minutes=capture.position)),
            quote(capture, "/2", asset="gone", as_of=LAST_MONTH),
        ]
    )


@pytest.fixture
def loaded(dsn: str) -> str:
    """A warehouse with two captures in it."""
    with PostgresWarehouse(dsn) as warehouse:
        for one in (FIRST, SECOND):
            warehouse.load(batch([one], decoded=told(one)))
    return dsn


def verified(dsn: str, *captures: Held) -> Report:
    return verify(dsn, LAKE, [Refined([one], told(one)) for one in captures])


def standing(dsn: str, *tables: str) -> list[list[str]]:
    """All rows of these tables."""
    return [rows(dsn, f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables]


def test_months_that_are_over_leave_whole_and_all_else_stays(loaded: str) -> None:
    stays = standing(loaded, *WHAT_STAYS)
    (month,) = months_before(loaded, THIS_MONTH)
    assert (month.month, month.quotes) == (f"{LAST_MONTH:%Y-%m}", 3)
    assert [gone.month for gone in prune(loaded, THIS_MONTH)] == [month.month]
    assert rows(loaded, "SELECT DISTINCT as_of FROM quotes ORDER BY 1") == [
        FIRST.capture.received_at,
        SECOND.capture.received_at,
    ]
    assert standing(loaded, *WHAT_STAYS) == stays
    assert prune(loaded, THIS_MONTH) == months_before(loaded, THIS_MONTH) == []


def test_a_pruned_warehouse_is_clean_and_what_is_wrong_with_the_rest_is_still_found(loaded: str) -> None:
    prune(loaded, THIS_MONTH)
    assert verified(loaded, FIRST, SECOND).clean
    with psycopg.connect(loaded) as session:
        session.execute("DELETE FROM coinlake.quotes WHERE as_of = %s", (MIDNIGHT,))
    (quotes, *_) = verified(loaded, FIRST, SECOND).tables
    assert (quotes.table, quotes.missing) == ("quotes", 1)


def test_what_has_left_is_not_brought_back_by_late_or_repeated_captures(loaded: str) -> None:
    with PostgresWarehouse(loaded) as warehouse:
        warehouse.position(LAKE)  # it knows the partitions of before
        prune(loaded, THIS_MONTH)
        warehouse.load(batch([FIRST], decoded=told(FIRST), kind="replay"))
        warehouse.load(batch([LATE], decoded=told(LATE)))
    assert rows(loaded, "SELECT count(*) FROM quotes WHERE as_of < '2024-10-01Z'") == [0]
    assert verified(loaded, FIRST, SECOND, LATE).clean


def test_nor_by_those_that_come_by_the_bus(dsn: str) -> None:
    prune(dsn, THIS_MONTH)
    captures = capture_batch(one.capture for one in (FIRST, SECOND))
    received = captures.append_column("lake_id", pa.repeat(str(LAKE), 2)).append_column(
        "position", pa.array([1, 2], pa.int64())
    )
    stager = Stager(dsn, lambda captures: Decoded.joined([told(FIRST), told(SECOND)]))
    loader = BusLoader(dsn, Topic("captures", "an id"))
    loader.begin()
    loader.load([stager.stage(received)], [Stretch(0, 0, 2)], started_at=MIDNIGHT, traceparent="")
    stager.close()
    loader.close()
    assert rows(dsn, "SELECT count(*), min(as_of) FROM quotes") == [(2, FIRST.capture.received_at)]
    assert verified(dsn, FIRST, SECOND).clean


def test_while_somebody_reads_for_long_nothing_leaves(loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(loaded) as reader:
        reader.execute("SELECT count(*) FROM coinlake.quotes")
        with pytest.raises(TryAgain, match="lock timeout"):
            prune(loaded, THIS_MONTH)
    assert rows(loaded, "SELECT kept_since FROM retention") == [None]
    assert len(months_before(loaded, THIS_MONTH)) == 1
