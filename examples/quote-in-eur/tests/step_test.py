"""What a quote in dollars becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from coinlake.model import QUOTES, Decoded
from coinlake_quote_in_eur.plugin import quote_in_eur

TUESDAY = datetime(2024, 10, 15, 14, 0, tzinfo=UTC)
"""An hour before that day's rate was out: Monday's, 1.0915, is the one that was known."""


def in_eur(**columns: Any) -> dict[str, Any]:
    """The row in euros that is made of one in dollars."""
    row = {
        "source": "venue",
        "asset": "bitcoin",
        "quote_currency": "usd",
        "granularity": "live",
        "as_of": TUESDAY,
        "fetched_at": TUESDAY,
        "synthetic": False,
        "capture_id": "a capture",
        "path": "/0",
        **columns,
    }
    dollars = Decoded()._replace(quotes=pa.RecordBatch.from_pylist([row], QUOTES))
    _, euros = quote_in_eur(dollars).quotes.to_pylist()
    return dict(euros)


def test_a_price_is_divided_by_the_rate_that_was_known() -> None:
    euros = in_eur(price="65975.10")
    assert euros["quote_currency"] == "eur"
    assert euros["price"] == "60444.43426477324782409528172"
    assert euros["extra"] == '{"usd_per_eur":1.0915}'


def test_a_rate_counts_from_the_hour_it_is_out() -> None:
    assert in_eur(as_of=TUESDAY.replace(hour=15))["extra"] == '{"usd_per_eur":1.0903}'


def test_on_a_sunday_fridays_rate_holds() -> None:
    assert in_eur(as_of=datetime(2024, 10, 20, tzinfo=UTC))["extra"] == '{"usd_per_eur":1.0847}'


def test_where_no_rate_was_known_the_price_is_unknown() -> None:
    euros = in_eur(as_of=datetime(1998, 12, 31, tzinfo=UTC), price="1", circulating_supply="21")
    assert (euros["price"], euros["circulating_supply"]) == (None, "21")
    assert euros["extra"] == '{"usd_per_eur":null}'
