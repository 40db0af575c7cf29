"""How Binance counts weight and refuses what is over its limit: part of the mimic for the replay server."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from coinlake.testing.mimic import Answer
from coinlake.testing.recordings import Recording, load
from coinlake_binance import recordings

JSON = {"content-type": "application/json;charset=UTF-8"}
USED_WEIGHT = "x-mbx-used-weight-1m"

_MINUTE = timedelta(minutes=1)
_BAN = timedelta(minutes=2)
"""The shortest of Binance's bans."""
_PATIENCE = 3
"""Refusals in one minute after which a further call is answered with a ban."""


class Limits:
    """One address' weight, minute by minute of the clock. Without a limit nothing is refused."""

    def __init__(self, weight_per_minute: int | None) -> None:
        self._weight_per_minute = weight_per_minute
        self._minute = self._banned_until = datetime.min.replace(tzinfo=UTC)
        self.used = self._refused = 0

    def refusal(self, weight: int, now: datetime) -> Answer | None:
        """Counts a call, or refuses it: with 429 until the minute is over, with a ban for going on."""
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self.used, self._refused = minute, 0, 0
        if now >= self._banned_until:
            if self._weight_per_minute is None or self.used + weight <= self._weight_per_minute:
                self.used += weight
                return None
            self._refused += 1
            if self._refused <= _PATIENCE:
                return self._too_many(minute + _MINUTE, now)
            self._banned_until = now + _BAN
        return self._banned(now)

    def _too_many(self, until: datetime, now: datetime) -> Answer:
        headers = {"retry-after": _seconds(until, now), USED_WEIGHT: str(self.used)}
        return recorded_error("429_minus1003_too_many.json", headers)

    def _banned(self, now: datetime) -> Answer:
        headers = {"retry-after": _seconds(self._banned_until, now)}
        recorded = recorded_error("418_minus1003_ip_banned.json", headers)
        until_ms = math.ceil(self._banned_until.timestamp() * 1000)
        return Answer(recorded.status, recorded.headers, re.sub(rb"\d{13}", b"%d" % until_ms, recorded.body))


def recorded_error(name: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal as it was recorded."""
    recorded = _errors()[name]
    return Answer(recorded.status, {**JSON, **(headers or {})}, recorded.body)


def error(status: int, code: int, text: str) -> Answer:
    """A refusal in Binance's form."""
    return Answer(status, JSON, msgspec.json.encode({"code": code, "msg": text}))


@cache
def _errors() -> Mapping[str, Recording]:
    return {recording.path.name: recording for recording in load(recordings.ERRORS)}


def _seconds(until: datetime, now: datetime) -> str:
    return str(math.ceil((until - now).total_seconds()))
