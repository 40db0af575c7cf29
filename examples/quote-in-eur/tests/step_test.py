"""What a quote in dollars becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from coinlake.model import QUOTES, Decoded
from coinlake_quote_in_eur.plugin import quote_in_eur

TUESDAY = datetime(2024, 10, 15, 14, 0, tzinfo=UTC)
"""An hour before that day's rate was out: Monday's, 1.0915, is the one that was known."""


DOLLARS = {
    "source": "venue",
    "asset": "bitcoin",
    "quote_currency": "usd",
    "granularity": "live",
    "as_of": TUESDAY,
    "fetched_at": TUESDAY,
    "synthetic": False,
    "capture_id": "a capture",
    "path": "/0",
}


def refined(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Quotes after the step; a row says what is other than in `DOLLARS`."""
    quotes = pa.RecordBatch.from_pylist([DOLLARS | row for row in rows], QUOTES)
    return list(quote_in_eur(Decoded(quotes=quotes)).quotes.to_pylist())


def in_eur(**columns: Any) -> dict[str, Any]:
    """The row in euros that is made of one in dollars."""
    _, euros = refined(columns)
    return euros


def test_a_price_is_divided_by_the_rate_that_was_known() -> None:
    euros = in_eur(price="65975.10")
    assert euros["quote_currency"] == "eur"
    assert euros["price"] == "60444.43426477324782409528172"
    assert euros["extra"] == '{"usd_per_eur":1.0915}'


def test_a_rate_counts_from_the_hour_it_is_out() -> None:
    assert in_eur(as_of=TUESDAY.replace(hour=15))["extra"] == '{"usd_per_eur":1.0903}'


def test_on_a_sunday_fridays_rate_holds() -> None:
    assert in_eur(as_of=datetime(2024, 10, 20, tzinfo=UTC))["extra"] == '{"usd_per_eur":1.0847}'


def test_over_easter_thursdays_rate_holds_until_the_next_is_out() -> None:
    tuesday = datetime(2024, 4, 2, 14, 59, tzinfo=UTC)
    assert in_eur(as_of=tuesday)["extra"] == '{"usd_per_eur":1.0811}'
    assert in_eur(as_of=tuesday.replace(hour=15))["extra"] == '{"usd_per_eur":1.0749}'


@pytest.mark.parametrize("year", [1998, 2098])
def test_where_no_rate_was_known_the_price_is_unknown(year: int) -> None:
    euros = in_eur(as_of=TUESDAY.replace(year=year), price="1", circulating_supply="21")
    assert (euros["price"], euros["circulating_supply"]) == (None, "21")
    assert euros["extra"] == '{"usd_per_eur":null}'


def test_a_zero_is_as_it_was_written() -> None:
    assert in_eur(market_cap="0.0")["market_cap"] == "0.0"


def test_what_the_venue_says_in_euros_is_left_to_it() -> None:
    said = {"quote_currency": "eur", "price": "61000", "path": "/1"}
    assert [row["price"] for row in refined({"price": "66000"}, said)] == ["66000", "61000"]
    assert len(refined({"price": "66000"}, said | {"asset": "ethereum"})) == 3
    assert len(refined({"price": "66000"}, said | {"capture_id": "another"})) == 3
