"""Three venues on loopback whose prices are of now, and which misbehave when they are told to.

They stand in for CoinGecko, Binance and Coinbase: recorded answers are years old, and an alert about the
market asks for prices that are minutes old. Their answers have the form of the real ones.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from servers.answering import Answer, Answering

Mood = Literal["well", "silent", "frozen", "nonsense", "banning", "in pieces"]
"""silent: no answer but an error; frozen: the same prices of the same moment; nonsense: HTML, with status
200; banning: HTTP 418 with a `Retry-After`; in pieces: one of its datasets is out of order."""

BITCOIN = 60_000
BAN_S = 12
_NONSENSE = b"<html>Scheduled maintenance</html>"


class Venue(Answering):
    """A venue as a server, from entering to leaving it; `mood` and `price` may be changed meanwhile."""

    def __init__(self, kind: Literal["coingecko", "binance", "coinbase"]) -> None:
        super().__init__()
        self.kind = kind
        self.price = BITCOIN
        self._mood: Mood = "well"
        self._frozen_at = datetime.now(UTC)

    @property
    def mood(self) -> Mood:
        """How it behaves."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self._frozen_at = datetime.now(UTC)
        self._mood = mood

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """What the venue would say, by its mood."""
        status, headers, said = self._said(path.split("?")[0])
        return Answer(status, {**headers, "Content-Type": "application/json"}, [said])

    def _said(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if self._mood == "banning":
            until_ms = int(datetime.now(UTC).timestamp() + BAN_S) * 1000
            said = {"code": -1003, "msg": f"Way too much request weight used; IP banned until {until_ms}."}
            return 418, {"Retry-After": str(BAN_S)}, json.dumps(said).encode()
        if self._mood == "silent" or (self._mood == "in pieces" and path.endswith("/stats")):
            return 503, {}, b"{}"
        if self._mood == "nonsense":
            return 200, {}, _NONSENSE
        now = self._frozen_at if self._mood == "frozen" else datetime.now(UTC)
        return 200, {}, json.dumps(_ANSWERS[self.kind](path, self.price, now)).encode()


def coingecko_page(price: float, now: datetime) -> list[dict[str, object]]:
    """A page of `coins/markets` with one coin."""
    coin = {"id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "market_cap_rank": 1}
    return [coin | {"current_price": price, "last_updated": f"{now:%Y-%m-%dT%H:%M:%S}.{now:%f}"[:-3] + "Z"}]


def _coingecko(_path: str, price: float, now: datetime) -> object:
    return coingecko_page(price, now)


def _binance(path: str, price: float, now: datetime) -> object:
    if path.endswith("/ticker/24hr"):
        at_ms = int(now.timestamp() * 1000)
        amounts = dict.fromkeys(
            ("quoteVolume", "highPrice", "lowPrice", "priceChange", "priceChangePercent"), f"{price}"
        )
        ticker = {"symbol": "BTCUSDT", "lastPrice": f"{price}", "closeTime": at_ms, "count": 5, "firstId": 1}
        return [ticker | amounts]
    return {"symbols": []} if path.endswith("/exchangeInfo") else []


def _coinbase(path: str, price: float, now: datetime) -> object:
    if path.endswith("/ticker"):
        return {"price": f"{price}", "size": "1", "time": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z", "trade_id": 1}
    if path.endswith("/stats"):
        return dict.fromkeys(("open", "high", "low", "last"), f"{price}") | {"volume": "1"}
    return []


_ANSWERS = {"coingecko": _coingecko, "binance": _binance, "coinbase": _coinbase}
