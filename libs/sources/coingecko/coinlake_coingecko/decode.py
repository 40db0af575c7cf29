"""What CoinGecko's answers mean: `coins/markets` pages to quotes. Pure.

The keys are those of its OpenAPI description of 2026-06-22. `last_updated` is when CoinGecko computed
the price, so it is the market time; a page from its cache carries the same times again, and its rows
are the same quotes.
"""

from __future__ import annotations

import pyarrow as pa

from coinlake.decoding import QuoteReader, Shape
from coinlake.model import Decoded

_SPANS = ("1h", "24h", "7d", "14d", "30d", "200d", "1y")

MARKETS = Shape(
    keys={
        "asset": "id",
        "symbol": "symbol",
        "name": "name",
        "as_of": "last_updated",
        "price": "current_price",
        "volume_24h": "total_volume",
        "market_cap": "market_cap",
        "rank": "market_cap_rank",
        "fully_diluted_valuation": "fully_diluted_valuation",
        "high_24h": "high_24h",
        "low_24h": "low_24h",
        "price_change_24h": "price_change_24h",
        "price_change_pct_24h": "price_change_percentage_24h",
        "market_cap_change_24h": "market_cap_change_24h",
        "market_cap_change_pct_24h": "market_cap_change_percentage_24h",
        "circulating_supply": "circulating_supply",
        "total_supply": "total_supply",
        "max_supply": "max_supply",
    },
    extra=(
        "ath",
        "ath_change_percentage",
        "ath_date",
        "atl",
        "atl_change_percentage",
        "atl_date",
        "roi",
        "image",
        "market_cap_rank_with_rehypothecated",
        *(f"price_change_percentage_{span}_in_currency" for span in _SPANS),
    ),
)

_markets = QuoteReader(MARKETS)


def decode(captures: pa.RecordBatch) -> Decoded:
    """Quotes and rejects of `markets` captures."""
    return _markets.read(captures, quote_currency=lambda params: params["vs_currency"])
