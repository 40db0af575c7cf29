"""The real recordings, through decoding and the real steps: what was answered is what is refined."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from coinlake.model import AMOUNTS, Capture, Decoded, capture_batch
from coinlake.refining import Refinery
from coinlake.testing.recordings import Recording, load
from coinlake_coingecko.decode import MARKETS, decode
from coinlake_coingecko.recordings import DAILY, FOLDER
from coinlake_refine.plugin import coinlake_stages

REFINERY = Refinery({"coingecko": decode}, list(coinlake_stages().items()))
PAGES = [page for page in load(FOLDER / "coins_markets") if page.status == 200 and page.body[:1] == b"["]
LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)


def capture(page: Recording, number: int = 1) -> Capture:
    """A recorded answer as the fetcher would have kept it."""
    moment = page.recorded_at or LONG_AFTER
    return Capture(
        source="coingecko",
        dataset="markets",
        slot=moment,
        page=number,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=page.body,
        requested_at=moment,
        received_at=moment,
        run_id="test",
        plugin_version="1",
        traceparent="",
    )


def refine(*captures: Capture) -> Decoded:
    """Captures through all steps."""
    return REFINERY.refine(capture_batch(captures))


def rows_of(page: Recording) -> list[dict[str, Any]]:
    """A page's rows by the standard library."""
    rows: list[dict[str, Any]] = json.loads(page.body, parse_float=Decimal, parse_int=Decimal)
    return rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_every_recorded_page_is_refined_without_a_reject(page: Recording) -> None:
    found = refine(capture(page))
    assert found.rejects.to_pylist() == []
    assert found.quotes.num_rows == len(rows_of(page))


def test_sixty_days_in_one_batch_are_the_quotes_that_plain_json_says() -> None:
    days = load(DAILY)
    found = refine(*(capture(day) for day in days))
    said = {
        (row["id"], datetime.fromisoformat(row["last_updated"])): [
            row[MARKETS.keys[amount]] for amount in AMOUNTS
        ]
        for day in days
        for row in rows_of(day)
    }
    refined = {
        (quote["asset"], quote["as_of"]): [
            None if quote[amount] is None else Decimal(quote[amount]) for amount in AMOUNTS
        ]
        for quote in found.quotes.to_pylist()
    }
    assert found.rejects.num_rows == 0
    assert found.quotes.num_rows == len(refined) == len(said)
    assert refined == said


def test_a_page_served_from_the_venues_cache_again_gives_its_quotes_once_and_to_the_first_fetch() -> None:
    first = capture(load(DAILY)[0])
    again = replace(
        first, slot=first.slot + timedelta(minutes=3), received_at=first.received_at + timedelta(minutes=3)
    )
    for captures in ((first, again), (again, first)):
        found = refine(*captures)
        assert found.rejects.num_rows == 0
        assert found.quotes.num_rows == 100
        assert set(found.quotes.column("capture_id").to_pylist()) == {str(first.id)}


def test_a_page_fetched_by_a_clock_set_back_is_refused_row_by_row_with_its_bytes() -> None:
    page = replace(capture(load(DAILY)[0]), received_at=datetime(2020, 1, 1, tzinfo=UTC))
    found = refine(page)
    assert found.quotes.num_rows == 0
    assert [json.loads(original) for original in found.rejects.column("original").to_pylist()] == json.loads(
        page.body
    )
    assert {reasons[0].split(":")[0] for reasons in found.rejects.column("reasons").to_pylist()} == {
        "future_time"
    }


def replaced(page: Recording, old: bytes, new: bytes) -> Capture:
    """A recorded page with one thing in it changed."""
    assert page.body.count(old) == 1
    return replace(capture(page), body=page.body.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"current_price":65975,', b'"current_price":-65975,'),
        (b'"current_price":65975,', b'"current_price":NaN,'),
        (b'"current_price":65975,', b'"current_price":"65975",'),
        (b'"current_price":65975,', b""),
        (b'"id":"bitcoin",', b'"id":"\xff",'),
        (b'"id":"bitcoin",', b'"id":" ",'),
        (b'"id":"bitcoin",', b'"id":"bitcoin","id":"bitcoin",'),
    ],
)
def test_one_bad_row_of_a_real_page_costs_none_of_its_ninety_nine_neighbours(old: bytes, new: bytes) -> None:
    found = refine(replaced(load(DAILY)[0], old, new))
    assert found.quotes.num_rows == 99
    assert "bitcoin" not in found.quotes.column("asset").to_pylist()
    (original,) = found.rejects.column("original").to_pylist()
    assert original.startswith(b"{")
    assert new in original
