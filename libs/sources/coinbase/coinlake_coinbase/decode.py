"""What Coinbase's answers mean: tickers and day summaries to quotes, candles, products to instruments. Pure.

Which product a ticker, a summary or a candle is of stands in the path that was asked, and nowhere else.
Volumes are counted in the asset: a quote has no column for that, so they stay in `extra`, as all does that no
column takes. A price of 0 means that nobody has traded: no fact, so null, its digits in `extra`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from coinlake.decoding import Columns, Fields, Origin, RowReader, by_dataset
from coinlake.model import CANDLE_WIDTHS, DAY_SUMMARY, LIVE, Decoded
from coinlake_coinbase.products import Pair, split
from coinlake_coinbase.requests import INTERVALS

TICKER, STATS, CANDLES, INSTRUMENTS = "ticker", "stats", "candles", "instruments"
"""The datasets' names."""

_OF_A_PRODUCT = re.compile(r"/products/([^/]+)/[a-z]+$")
_ZERO = re.compile(r"-?0+(?:\.0*)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_CANDLE_AMOUNTS = {"low": 1, "high": 2, "open": 3, "close": 4, "volume": 5}


def _ticker(fields: Fields, origin: Origin) -> Columns:
    """The last trade, at its own time, however long ago that is."""
    pair = _pair(fields, origin)
    return {
        "asset": pair.base,
        "symbol": pair.base,
        "quote_currency": pair.quote.lower(),
        "granularity": LIVE,
        "as_of": fields.moment("time"),
        "price": _price(fields, "price"),
    }


def _stats(fields: Fields, origin: Origin) -> Columns:
    """The past 24 hours. The answer names no time, so its `last` is no price of any moment."""
    pair = _pair(fields, origin)
    return {
        "asset": pair.base,
        "symbol": pair.base,
        "quote_currency": pair.quote.lower(),
        "granularity": DAY_SUMMARY,
        "as_of": origin.received_at,
        "high_24h": _price(fields, "high"),
        "low_24h": _price(fields, "low"),
    }


def _candle(fields: Fields, origin: Origin) -> Columns | None:
    """A closed candle, be it before the `start` that was asked for: it is a fact all the same."""
    interval, open_time = INTERVALS[origin.params["granularity"]], fields.seconds(0)
    if open_time and open_time + CANDLE_WIDTHS[interval] > origin.answered_at:
        return None
    pair = _pair(fields, origin)
    return {
        "asset": pair.base,
        "quote_currency": pair.quote.lower(),
        "interval": interval,
        "open_time": open_time,
        **{column: fields.amount(place) for column, place in _CANDLE_AMOUNTS.items()},
    }


def _instrument(fields: Fields, origin: Origin) -> Columns:
    """A product. In 2017 they had neither a status nor a step of the amount."""
    quote = fields.text("quote_currency")
    return {
        "instrument": fields.text("id"),
        "asset": fields.text("base_currency"),
        "quote_currency": quote and quote.lower(),
        "status": fields.text("status", optional=True),
        "price_step": fields.amount("quote_increment"),
        "amount_step": fields.amount("base_increment", optional=True),
    }


def _pair(fields: Fields, origin: Origin) -> Pair:
    """What the product of the path is made of; a path without one refuses the row."""
    found = _OF_A_PRODUCT.search(urlsplit(origin.url).path)
    product = unquote(found[1]).upper() if found else ""
    pair = split(product)
    if pair is None:
        fields.refuse(f"unknown_product: {product!a} is the product that was asked for")
    return pair or Pair("", "")


def _price(fields: Fields, key: str) -> str | None:
    given = fields.look(key)
    return None if isinstance(given, str) and _ZERO.fullmatch(given) else fields.amount(key)


_DECODERS = {
    TICKER: RowReader("quotes", _ticker, each="whole").read,
    STATS: RowReader("quotes", _stats, each="whole").read,
    CANDLES: RowReader("candles", _candle).read,
    INSTRUMENTS: RowReader("instruments", _instrument).read,
}


def decode(captures: pa.RecordBatch) -> Decoded:
    """Quotes, candles, instruments and rejects of captures of any of the datasets."""
    return by_dataset(captures, _DECODERS)
