"""The step `quote-in-eur`: beside each quote in dollars, the same in euros."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import AMOUNTS, QUOTES, Decoded, one_batch
from coinlake.plugins import Step, hookimpl
from coinlake_quote_in_eur.rates import usd_per_eur

MONEY = ("price", "volume_24h", "market_cap", "fully_diluted_valuation")
"""What is so much money at one moment, and is converted by the rate of that moment."""
SUPPLIES = ("circulating_supply", "total_supply", "max_supply")
"""What is no money, and stays. All other amounts span a day, in which the rate moved: they are left out."""

_DIVISION = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""A quotient has no end. Rates have five digits, so what stands behind the 28th says nothing."""


def quote_in_eur(decoded: Decoded) -> Decoded:
    """Adds to each quote in dollars one in euros, of the same asset and moment; `extra` says by which rate.

    Where no rate was known the amounts of money are null: unknown, not zero. To an answer that has the
    asset in euros itself nothing is added: what a venue says is not to be replaced by what we compute.
    """
    said = {_told(row) for row in _quoted_in("eur", decoded)}
    made = [_in_eur(row) for row in _quoted_in("usd", decoded) if _told(row) not in said]
    euros = pa.RecordBatch.from_pylist(made, QUOTES)
    return decoded._replace(quotes=one_batch([decoded.quotes, euros], QUOTES))


def _quoted_in(currency: str, decoded: Decoded) -> list[dict[str, Any]]:
    rows = decoded.quotes.filter(pc.equal(decoded.quotes.column("quote_currency"), currency))
    return list(rows.to_pylist())


def _told(row: Mapping[str, Any]) -> tuple[str, str]:
    """Which answer speaks of which asset."""
    return row["capture_id"], row["asset"]


def _in_eur(row: Mapping[str, Any]) -> dict[str, Any]:
    rate = usd_per_eur(row["as_of"])
    amounts = {name: _converted(row[name], rate) for name in MONEY} | {name: row[name] for name in SUPPLIES}
    return {
        **row,
        **dict.fromkeys(AMOUNTS),
        **amounts,
        "quote_currency": "eur",
        "extra": f'{{"usd_per_eur":{rate or "null"}}}',
    }


def _converted(dollars: str | None, rate: Decimal | None) -> str | None:
    if dollars is None or rate is None:
        return None
    amount = Decimal(dollars)
    return str(_DIVISION.divide(amount, rate)) if amount else dollars


@hookimpl
def coinlake_stages() -> Mapping[str, Step]:
    """The step, by the name that stands in `refine.steps`."""
    return {"quote-in-eur": quote_in_eur}
