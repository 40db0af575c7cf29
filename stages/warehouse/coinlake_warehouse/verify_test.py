"""What verification finds, on a real server: each kind of damage by name, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import pytest

from coinlake.errors import FixConfiguration
from coinlake.model import Held
from coinlake_warehouse.conftest import LAKE, MIDNIGHT, batch, decoded, held, quote, reject, rows
from coinlake_warehouse.connection import connect
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.verify import Change, Refined, Report, verify

ONE, TWO, THREE = held(1, 0), held(2, 3), held(3, 90)


def _refined(capture: Held) -> Refined:
    """Two quotes and a reject of each capture; the second asset is always told of the same moment."""
    quotes = [
        quote(capture, "/0", price=f"1.{capture.position}0", extra='{"ath": 1.50}'),
        quote(capture, "/1", asset="stale", as_of=MIDNIGHT - timedelta(days=40)),
    ]
    return Refined([capture], decoded(quotes, [reject(capture, "/2")]))


LAKEFUL = [_refined(capture) for capture in (ONE, TWO, THREE)]


@pytest.fixture
def loaded(dsn: str) -> str:
    """A warehouse with all of it."""
    with PostgresWarehouse(dsn) as warehouse:
        for refined in LAKEFUL:
            warehouse.load(batch(refined.captures, decoded=refined.decoded))
    return dsn


def _damage(dsn: str, statement: LiteralString) -> None:
    with connect(dsn, "damage") as connection:
        assert connection.execute(statement).rowcount == 1


def _kinds(report: Report) -> dict[str, dict[str, int]]:
    """The counts that are not zero."""
    kinds = ("missing", "doubled", "different", "extra")
    counts = {t.table: {kind: getattr(t, kind) for kind in kinds if getattr(t, kind)} for t in report.tables}
    return {table: found for table, found in counts.items() if found}


def test_a_whole_warehouse_is_clean(loaded: str) -> None:
    report = verify(loaded, LAKE, LAKEFUL)
    assert report.clean
    assert (report.position, report.captures, report.pending) == (3, 3, 0)
    assert [(t.table, t.expected, t.found) for t in report.tables] == [
        ("quotes", 4, 4), ("latest_quotes", 2, 2), ("candles", 8, 8), ("venue_candles", 0, 0),
        ("instruments", 0, 0), ("dead_letters", 3, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        ("DELETE FROM quotes WHERE price = 1.20", {"quotes": {"missing": 1}}),
        ("UPDATE quotes SET price = 9 WHERE price = 1.20", {"quotes": {"different": 1}}),
        ("UPDATE quotes SET name = '' WHERE price = 1.20", {"quotes": {"different": 1}}),
        ("UPDATE quotes SET extra = '{\"ath\": 1.5}' WHERE price = 1.20", {"quotes": {"different": 1}}),
        ("DELETE FROM latest_quotes WHERE asset = 'bitcoin'", {"latest_quotes": {"missing": 1}}),
        ("UPDATE latest_quotes SET price = 9 WHERE asset = 'bitcoin'", {"latest_quotes": {"different": 1}}),
        ("DELETE FROM candles WHERE \"interval\" = '1d' AND asset = 'stale'", {"candles": {"missing": 1}}),
        (
            "UPDATE candles SET quotes = 7 WHERE \"interval\" = '1d' AND asset = 'stale'",
            {"candles": {"different": 1}},
        ),
        (
            "INSERT INTO candles SELECT 'x', asset, quote_currency, \"interval\", open_time, 1, 1, 1, 1, 1, "
            "1, 1, open_time, open_time, false FROM candles LIMIT 1",
            {"candles": {"extra": 1}},
        ),
        (
            f"DELETE FROM dead_letters WHERE capture_id = '{ONE.capture.id}'",
            {"dead_letters": {"missing": 1}},
        ),
        (
            f"UPDATE dead_letters SET resolved_at = now() WHERE capture_id = '{ONE.capture.id}'",
            {"dead_letters": {"missing": 1}},
        ),
        (
            f"UPDATE dead_letters SET original = '' WHERE capture_id = '{ONE.capture.id}'",
            {"dead_letters": {"different": 1}},
        ),
        (
            "INSERT INTO dead_letters SELECT capture_id, '/9', stage, source, dataset, slot, reasons, "
            "original, received_at, rejected_at FROM dead_letters LIMIT 1",
            {"dead_letters": {"extra": 1}},
        ),
    ],
)
def test_each_kind_of_damage_is_counted(
    loaded: str, damage: LiteralString, kinds: dict[str, dict[str, int]]
) -> None:
    _damage(loaded, damage)
    report = verify(loaded, LAKE, LAKEFUL)
    assert _kinds(report) == kinds
    assert not report.clean


def _copy_of_a_quote(dsn: str, **changed: str) -> None:
    """Another row like the first capture's quote of bitcoin, with some columns changed."""
    columns = rows(dsn, "SELECT attname FROM pg_attribute WHERE attrelid = 'quotes'::regclass AND attnum > 0")
    taken = ", ".join(changed.get(column, column) for column in columns)
    _damage(dsn, f"INSERT INTO quotes SELECT {taken} FROM quotes WHERE price = 1.10 AND asset = 'bitcoin'")


def test_a_row_of_no_capture_is_extra_and_a_second_row_of_one_is_doubled(loaded: str) -> None:
    _copy_of_a_quote(loaded, asset="'ghost'", capture_id="gen_random_uuid()")
    _copy_of_a_quote(loaded, as_of="as_of + interval '1 minute'")
    report = verify(loaded, LAKE, LAKEFUL)
    assert _kinds(report) == {"quotes": {"doubled": 1, "extra": 1}}
    named = {difference.kind: difference for difference in report.tables[0].examples}
    assert named["extra"].key["asset"] == "ghost"
    assert named["doubled"].capture_id == str(ONE.capture.id)
    assert named["doubled"].key["as_of"] == "2024-10-15T00:01:00+00:00"


def test_a_difference_names_the_row_its_capture_and_both_values(loaded: str) -> None:
    digits = "1." + "0123456789" * 6
    _damage(loaded, f"UPDATE quotes SET price = {digits}, name = '' WHERE price = 1.20")
    (difference,) = verify(loaded, LAKE, LAKEFUL).tables[0].examples
    assert difference.key == {
        "source": "coingecko",
        "asset": "bitcoin",
        "quote_currency": "usd",
        "granularity": "live",
        "as_of": "2024-10-15T00:03:00+00:00",
    }
    assert difference.capture_id == str(TWO.capture.id)
    assert difference.changes == (Change("name", None, ""), Change("price", "1.20", digits))


def test_no_more_differences_are_named_than_asked_for_but_all_are_counted(loaded: str) -> None:
    for price in ("1.10", "1.20", "1.30"):
        _damage(loaded, f"DELETE FROM quotes WHERE price = {price}")
    quotes = verify(loaded, LAKE, LAKEFUL, examples=2).tables[0]
    assert (quotes.missing, len(quotes.examples)) == (3, 2)


def test_captures_behind_the_position_are_pending_not_missing(dsn: str) -> None:
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch(LAKEFUL[0].captures, decoded=LAKEFUL[0].decoded))
    report = verify(dsn, LAKE, LAKEFUL)
    assert report.clean
    assert (report.position, report.captures, report.pending) == (1, 1, 2)


def test_an_empty_warehouse_has_everything_pending(dsn: str) -> None:
    report = verify(dsn, LAKE, LAKEFUL)
    assert report.clean
    assert (report.position, report.pending) == (0, 3)


def test_a_range_is_compared_without_the_rows_of_other_captures(loaded: str) -> None:
    for place in range(3):
        report = verify(loaded, LAKE, LAKEFUL[place : place + 1], whole=False)
        assert report.clean, (place, report)
        assert report.captures == 1


def test_damage_within_a_range_is_found_and_damage_outside_is_not(loaded: str) -> None:
    _damage(loaded, "UPDATE quotes SET price = 9 WHERE price = 1.30")
    _damage(
        loaded,
        """UPDATE candles SET quotes = 7 WHERE "interval" = '5m' AND open_time > '2024-10-15T01:00Z'""",
    )
    _damage(loaded, f"UPDATE dead_letters SET reasons = '{{}}' WHERE capture_id = '{THREE.capture.id}'")
    _copy_of_a_quote(loaded, asset="'ghost'", capture_id=f"'{THREE.capture.id}'::uuid")
    assert verify(loaded, LAKE, LAKEFUL[:2], whole=False).clean
    assert _kinds(verify(loaded, LAKE, LAKEFUL[2:], whole=False)) == {
        "quotes": {"different": 1, "doubled": 1},
        "candles": {"different": 1},
        "dead_letters": {"different": 1},
    }


def test_a_capture_that_the_server_refused_is_accounted_for_by_its_dead_letter(dsn: str) -> None:
    refused = Refined([ONE], decoded([quote(ONE, price="12,5")]))
    letter = reject(ONE, "", stage="load", reasons=["load_refused: …"], original=b"[1]")
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([ONE], [], [letter]))
    report = verify(dsn, LAKE, [refused])
    assert report.clean
    assert report.captures == 1


def test_loading_goes_on_while_a_warehouse_is_verified(dsn: str) -> None:
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch(LAKEFUL[0].captures, decoded=LAKEFUL[0].decoded))

        def refined_while_loading() -> Iterator[Refined]:
            for place, refined in enumerate(LAKEFUL):
                if place:
                    warehouse.load(batch(refined.captures, decoded=refined.decoded))
                yield refined

        report = verify(dsn, LAKE, refined_while_loading())
        assert report.clean
        assert (report.position, report.pending) == (1, 2)
        assert warehouse.position(LAKE) == 3


def test_verifying_changes_nothing(loaded: str) -> None:
    everything = "SELECT count(*), max(q::text) FROM quotes q"
    before = rows(loaded, everything)
    verify(loaded, LAKE, LAKEFUL[:1])
    assert rows(loaded, everything) == before
    assert rows(loaded, "SELECT position FROM position") == [3]


def test_another_lake_cannot_be_compared(loaded: str) -> None:
    with pytest.raises(FixConfiguration, match="cannot be compared"):
        verify(loaded, UUID(int=9), LAKEFUL)
