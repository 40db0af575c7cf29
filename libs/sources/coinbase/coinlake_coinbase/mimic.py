"""How Coinbase's API answers, for the replay server: paths, candle windows, bursts.

What is served was recorded, candles row by row, byte for byte. What was never recorded is never made up: a
product that no recording knows is refused as the venue does, and a candle is served once it has closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from coinlake.model import CANDLE_WIDTHS
from coinlake.testing.mimic import Answer, Question
from coinlake.testing.recordings import Recording
from coinlake_coinbase.mimic_limits import JSON, Bursts, error, recorded_error
from coinlake_coinbase.requests import INTERVALS, MOST_CANDLES

PRODUCTS = "/products"

_OF_A_PRODUCT = re.compile(r"(/products/[^/]+)/(ticker|stats|candles)")
_NOT_FOUND = "404_not_found.json"
_TOO_MANY = "400_too_many_candles.json"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Product(msgspec.Struct):
    id: str


class _Candle(NamedTuple):
    text: bytes
    synthetic: bool


_products = msgspec.json.Decoder(list[_Product])
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_candle = msgspec.json.Decoder(list[int | float])


class CoinbaseMimic:
    """A `coinlake.testing.mimic.Mimic`. Without a burst it never says 429.

    `row_before_start` puts the candle before `start` into each window, as Coinbase sometimes does.
    """

    base = ""

    def __init__(self, *, burst: int | None = None, row_before_start: bool = False) -> None:
        self._bursts = Bursts(burst)
        self._row_before_start = row_before_start

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        """Coinbase's answer at `now`."""
        refusal = self._bursts.refusal(now)
        if refusal:
            return refusal
        if question.path == PRODUCTS:
            return _newest(PRODUCTS, visible) or _out_of_service()
        of_a_product = _OF_A_PRODUCT.fullmatch(question.path)
        if not of_a_product:
            return recorded_error(_NOT_FOUND)
        if of_a_product[2] == "candles":
            found = self._candles(question, visible, now)
        else:
            found = _newest(question.path, visible)
        if found:
            return found
        return _out_of_service() if _is_known(of_a_product[1], visible) else recorded_error(_NOT_FOUND)

    def _candles(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer | None:
        """The closed candles that open in [start, end] of all recordings together, newest first.

        None for a product of which nothing was ever recorded.
        """
        granularity = question.params.get("granularity", "60")
        if granularity not in INTERVALS:
            return error(400, "Unsupported granularity")
        width = CANDLE_WIDTHS[INTERVALS[granularity]]
        window = _window(question.params, width, now)
        if window is None:
            return error(400, "start and end must be ISO 8601 times")
        start, end = window
        if end - start > MOST_CANDLES * width:
            return recorded_error(_TOO_MANY)
        candles: dict[datetime, _Candle] = {}
        for recording in visible:
            if _is_of(recording, question.path) and recording.params.get("granularity") == granularity:
                candles |= _by_open_time(recording)
        if not candles and not _is_known(question.path.removesuffix("/candles"), visible):
            return None
        closed = sorted((at for at in candles if at <= end and at + width <= now), reverse=True)
        count = sum(at >= start for at in closed)
        chosen = [candles[at] for at in closed[: count + self._row_before_start]]
        body = b"[" + b",".join(candle.text for candle in chosen) + b"]"
        return Answer(200, JSON, body, any(candle.synthetic for candle in chosen))


def _newest(path: str, visible: Sequence[Recording]) -> Answer | None:
    """The newest recording of a path; those without a time are of no moment."""
    for recording in reversed(visible):
        if recording.recorded_at and _is_of(recording, path):
            return Answer(200, JSON, recording.body, recording.synthetic)
    return None


def _is_of(recording: Recording, path: str) -> bool:
    """Whether a recording answers a path, with the product in whatever case."""
    return recording.status == 200 and (recording.endpoint or "").upper() == path.upper()


def _is_known(product_path: str, visible: Sequence[Recording]) -> bool:
    """Whether a product is one of the venue's, as far as recordings tell; before the first, any may be."""
    below = f"{product_path}/".upper()
    if not any(recording.recorded_at for recording in visible):
        return True
    return any((recording.endpoint or "").upper().startswith(below) for recording in visible) or any(
        below == f"{PRODUCTS}/{listed}/".upper()
        for recording in visible
        if _is_of(recording, PRODUCTS)
        for listed in _listed(recording)
    )


@lru_cache(maxsize=64)
def _listed(recording: Recording) -> list[str]:
    return [product.id for product in _products.decode(recording.body)]


@lru_cache(maxsize=1024)
def _by_open_time(recording: Recording) -> dict[datetime, _Candle]:
    return {
        _EPOCH + timedelta(seconds=_candle.decode(row)[0]): _Candle(bytes(row), recording.synthetic)
        for row in _rows.decode(recording.body)
    }


def _window(asked: Mapping[str, str], width: timedelta, now: datetime) -> tuple[datetime, datetime] | None:
    """The given start and end, or the last 300 candles unless both are given; None where one is no time."""
    if not (asked.get("start") and asked.get("end")):
        return now - MOST_CANDLES * width, now
    try:
        return _moment(asked["start"]), _moment(asked["end"])
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _out_of_service() -> Answer:
    """Before anything was recorded."""
    return error(503, "Service is unavailable")
