"""How Binance's API answers, for the replay server: paths, parameters, windows, weights.

Rows are cut out of recorded answers byte for byte. What was never recorded is never made up: a symbol that
no recording holds is refused as unknown, and a candle is served once it has closed, not while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from coinlake.testing.mimic import Answer, Question
from coinlake.testing.recordings import Recording
from coinlake_binance.mimic_limits import JSON, USED_WEIGHT, Limits, error, recorded_error

TICKER = "/api/v3/ticker/24hr"
KLINES = "/api/v3/klines"
EXCHANGE_INFO = "/api/v3/exchangeInfo"

_UNKNOWN_SYMBOL = "400_minus1121_invalid_symbol.json"
_DEFAULT_CANDLES, _MOST_CANDLES = 500, 1000
_TICKER_WEIGHTS = ((20, 2), (100, 40))
_WEIGHTS = {KLINES: 2, EXCHANGE_INFO: 20}
_ALL_TICKERS_WEIGHT = 80


class _Ticker(msgspec.Struct):
    symbol: str


class _Candle(NamedTuple):
    close_ms: int
    text: bytes
    synthetic: bool


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_ticker = msgspec.json.Decoder(_Ticker)
_kline = msgspec.json.Decoder(list[int | str])
_symbols = msgspec.json.Decoder(list[str])


class BinanceMimic:
    """A `coinlake.testing.mimic.Mimic`. Without a limit it never says 429, nor 418."""

    base = ""

    def __init__(self, *, weight_per_minute: int | None = None) -> None:
        self._limits = Limits(weight_per_minute)

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        """Binance's answer at `now`, with the weight used in this minute."""
        refusal = self._limits.refusal(_weight(question), now)
        if refusal:
            return refusal
        answer = _found(question, visible, now)
        headers = {**JSON, **answer.headers, USED_WEIGHT: str(self._limits.used)}
        return Answer(answer.status, headers, answer.body, answer.synthetic)


def _found(question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
    if question.path == TICKER:
        return _tickers(question.params, visible)
    if question.path == KLINES:
        return _klines(question.params, visible, now)
    if question.path == EXCHANGE_INFO:
        for recording in _newest(visible, EXCHANGE_INFO):
            return Answer(body=recording.body, synthetic=recording.synthetic)
        return _out_of_service()
    return error(404, -1000, "There is no such path.")


def _tickers(asked: Mapping[str, str], visible: Sequence[Recording]) -> Answer:
    """The newest row of each symbol, in the order asked for; one unknown symbol fails the call."""
    symbols = _named(asked)
    if not symbols:
        return error(400, -1102, "Mandatory parameter 'symbols' was not sent, was empty/null, or malformed.")
    known = False
    rows: dict[str, tuple[bytes, bool]] = {}
    for recording in _newest(visible, TICKER):
        if not known and recording.params.get("symbols") == asked["symbols"]:
            return Answer(body=recording.body, synthetic=recording.synthetic)
        known = True
        found = _by_symbol(recording)
        for symbol in symbols:
            if symbol in found:
                rows.setdefault(symbol, (found[symbol], recording.synthetic))
        if len(rows) == len(symbols):
            body = b"[" + b",".join(rows[symbol][0] for symbol in symbols) + b"]"
            return Answer(body=body, synthetic=any(synthetic for _, synthetic in rows.values()))
    return recorded_error(_UNKNOWN_SYMBOL) if known else _out_of_service()


def _klines(asked: Mapping[str, str], visible: Sequence[Recording], now: datetime) -> Answer:
    """The closed candles in [startTime, endTime] of all recordings together, oldest first."""
    candles: dict[int, _Candle] = {}
    for recording in _of_symbol(asked.get("symbol", ""), visible):
        if recording.params.get("interval") == asked.get("interval"):
            candles |= _by_open_time(recording)
    if not candles and not _is_known(asked.get("symbol", ""), visible):
        return recorded_error(_UNKNOWN_SYMBOL)
    since, until = _number(asked, "startTime"), _number(asked, "endTime")
    now_ms = now.timestamp() * 1000
    chosen = [
        candle
        for open_ms, candle in sorted(candles.items())
        if (since or 0) <= open_ms <= (until or open_ms) and candle.close_ms < now_ms
    ]
    limit = min(_number(asked, "limit") or _DEFAULT_CANDLES, _MOST_CANDLES)
    chosen = chosen[-limit:] if since is None else chosen[:limit]
    body = b"[" + b",".join(candle.text for candle in chosen) + b"]"
    return Answer(body=body, synthetic=any(candle.synthetic for candle in chosen))


def _of_symbol(symbol: str, visible: Sequence[Recording]) -> Iterator[Recording]:
    for recording in visible:
        if _is_of(recording, KLINES) and recording.params.get("symbol") == symbol:
            yield recording


def _is_known(symbol: str, visible: Sequence[Recording]) -> bool:
    """Whether a symbol is one of the venue's: its klines are empty then, where none were recorded."""
    listed = any(symbol in _by_symbol(recording) for recording in _newest(visible, TICKER))
    return listed or any(_of_symbol(symbol, visible))


def _newest(visible: Sequence[Recording], path: str) -> Iterator[Recording]:
    """Recordings of a path, newest first; those without a time are of no moment."""
    return (one for one in reversed(visible) if one.recorded_at and _is_of(one, path))


def _is_of(recording: Recording, path: str) -> bool:
    """Whether a recording is of a path, in whatever version of the API."""
    return recording.status == 200 and (recording.endpoint or "").endswith(path.removeprefix("/api/v3"))


@lru_cache(maxsize=64)
def _by_symbol(recording: Recording) -> dict[str, bytes]:
    return {_ticker.decode(row).symbol: bytes(row) for row in _rows.decode(recording.body)}


@lru_cache(maxsize=1024)
def _by_open_time(recording: Recording) -> dict[int, _Candle]:
    found = {}
    for row in _rows.decode(recording.body):
        values = _kline.decode(row)
        found[int(values[0])] = _Candle(int(values[6]), bytes(row), recording.synthetic)
    return found


def _named(asked: Mapping[str, str]) -> list[str]:
    try:
        return _symbols.decode(asked.get("symbols", "[]"))
    except ValueError:
        return []


def _weight(question: Question) -> int:
    if question.path != TICKER:
        return _WEIGHTS.get(question.path, 1)
    count = len(_named(question.params))
    return next((weight for most, weight in _TICKER_WEIGHTS if 0 < count <= most), _ALL_TICKERS_WEIGHT)


def _number(asked: Mapping[str, str], name: str) -> int | None:
    given = asked.get(name, "")
    return int(given) if given.isascii() and given.isdigit() else None


def _out_of_service() -> Answer:
    """Before anything was recorded."""
    return error(503, -1016, "This service is no longer available.")
