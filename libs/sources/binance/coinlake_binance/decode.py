"""What Binance's answers mean: tickers to quotes, klines to candles, `exchangeInfo` to instruments. Pure.

A ticker's `closeTime` is when its 24 hours end, at the pair's latest change, so it is the price's time.
A pair that nobody traded in those hours (`count` 0, `firstId` -1) says 0 for each price and amount: no
fact, so null. That holds for pairs that are dead and for pairs that only rest. Should a resting pair still
give its last price, that price is older than a day whatever `closeTime` says, and is not stated as one of
that time. The digits stay in `extra`, as all do that no column takes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa

from coinlake.decoding import Columns, Fields, Origin, RowReader, by_dataset
from coinlake.model import CANDLE_WIDTHS, LIVE, Decoded
from coinlake_binance.pairs import split

TICKER, KLINES, INSTRUMENTS = "ticker", "klines", "instruments"
"""The datasets' names."""

_TICKER_AMOUNTS = {
    "price": "lastPrice",
    "volume_24h": "quoteVolume",
    "high_24h": "highPrice",
    "low_24h": "lowPrice",
    "price_change_24h": "priceChange",
    "price_change_pct_24h": "priceChangePercent",
}
_KLINE_AMOUNTS = {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5, "quote_volume": 7, "trades": 8}
_KLINE_EXTRA = {6: "closeTime", 9: "takerBuyBaseVolume", 10: "takerBuyQuoteVolume", 11: "ignore"}


def _ticker(fields: Fields, origin: Origin) -> Columns:
    traded = not (fields.look("count") == "0" or fields.look("firstId") == "-1")
    return {
        **_pair(fields, fields.text("symbol")),
        "granularity": LIVE,
        "as_of": fields.milliseconds("closeTime"),
        **{column: fields.amount(key) for column, key in _TICKER_AMOUNTS.items() if traded},
    }


def _kline(fields: Fields, origin: Origin) -> Columns | None:
    interval, open_time = origin.params["interval"], fields.milliseconds(0)
    if open_time and open_time + CANDLE_WIDTHS[interval] > origin.answered_at:
        return None
    for place, name in _KLINE_EXTRA.items():
        fields.into_extra(place, name)
    pair = _pair(fields, origin.params["symbol"])
    return {
        "asset": pair["asset"],
        "quote_currency": pair["quote_currency"],
        "interval": interval,
        "open_time": open_time,
        **{column: fields.amount(place) for column, place in _KLINE_AMOUNTS.items()},
    }


def _instrument(fields: Fields, origin: Origin) -> Columns:
    quote = fields.text("quoteAsset")
    return {
        "instrument": fields.text("symbol"),
        "asset": fields.text("baseAsset"),
        "quote_currency": quote and quote.lower(),
        "status": fields.text("status"),
        "price_step": _step(fields, "PRICE_FILTER", "tickSize"),
        "amount_step": _step(fields, "LOT_SIZE", "stepSize"),
    }


def _pair(fields: Fields, symbol: str | None) -> dict[str, str | None]:
    """The columns that a symbol stands for; one that cannot be split refuses the row."""
    pair = split(symbol) if symbol else None
    if pair is None:
        fields.refuse(f"unknown_pair: no known quote asset ends the symbol {symbol!a}")
        return dict.fromkeys(("asset", "symbol", "quote_currency"))
    return {"asset": pair.base, "symbol": pair.base, "quote_currency": pair.quote.lower()}


def _step(fields: Fields, kind: str, key: str) -> Any:
    """The step that a filter sets; null where it is 0, which switches the filter off."""
    for one in fields.look("filters") or ():
        if one["filterType"] == kind:
            return one[key] if Decimal(one[key]) else None
    return None


_DECODERS = {
    TICKER: RowReader("quotes", _ticker).read,
    KLINES: RowReader("candles", _kline).read,
    INSTRUMENTS: RowReader("instruments", _instrument, under=("symbols",)).read,
}


def decode(captures: pa.RecordBatch) -> Decoded:
    """Quotes, candles, instruments and rejects of captures of any of the datasets."""
    return by_dataset(captures, _DECODERS)
