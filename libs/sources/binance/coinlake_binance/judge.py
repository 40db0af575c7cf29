"""What Binance's refusals mean, by their status and their `{"code", "msg"}`; and the limits it states.

Nothing is parsed before it is stored: an answer under 200 that is no error object is kept, whatever it is.
How long to wait is left to the core, which reads `Retry-After`, unless the body alone says it.
"""

from __future__ import annotations

import re

import msgspec

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict, Window

_ERROR_BYTES = 64 * 1024
"""No error body is longer; a longer body is not looked into."""
_REASON_LETTERS = 300
_SHORTEST_BAN_S = 120
_LONGEST_BAN_S = 3 * 24 * 3600
_FIREWALL_S = 300
"""How long its firewall is left alone: Binance does not say, and every further call prolongs a block."""
_BANNED_UNTIL_MS = re.compile(r"banned until (\d{13})\b", re.ASCII)

_TOO_MANY = -1003
_INVALID_SYMBOL = -1121
_PASSING = {-1000, -1001, -1006, -1007, -1008, -1016, -1034}
"""Binance's own troubles: unknown, disconnected, unexpected, timed out, busy, shutting down, full."""


class _Error(msgspec.Struct):
    code: int
    msg: str = ""


class _Limit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class _Stated(msgspec.Struct, rename="camel"):
    rate_limits: list[_Limit]


_error = msgspec.json.Decoder(_Error)
_stated = msgspec.json.Decoder(_Stated)


def judge(response: Response) -> Verdict:
    """Keep (with the limits that the answer states, if it does), wait or give up; never raises."""
    error = _error_in(response.body)
    status, code = response.status, error.code if error else None
    if error is None and status == 200:
        return Keep(windows=_windows(response.body))
    said = f"HTTP {status}" + (f", {code} {error.msg[:_REASON_LETTERS]!r}" if error else "")
    if status == 418:
        return BannedUntil(f"Binance has banned this address ({said})", _ban_s(response, error))
    if status == 429 or code == _TOO_MANY:
        return RetryAfter(f"Binance's limit is reached ({said})")
    if status == 403:
        return BannedUntil(
            f"Binance's firewall blocks this address for now ({said}); if that goes on, poll less, ask from "
            "another address or change sources.binance.root",
            _FIREWALL_S,
        )
    if status == 451:
        return Refuse(
            "Binance does not answer from where this address is: set sources.binance.root to "
            f'"https://data-api.binance.vision", where its market data is open to all ({said})'
        )
    if code == _INVALID_SYMBOL:
        return Refuse(f"Binance has no such symbol: take it out of sources.binance.symbols ({said})")
    if code in _PASSING or status == 408 or status >= 500:
        return RetryAfter(f"Binance cannot answer now ({said})")
    return Refuse(f"Binance refuses the request ({said})")


def _error_in(body: bytes) -> _Error | None:
    if len(body) > _ERROR_BYTES or not body.lstrip().startswith(b"{"):
        return None
    try:
        return _error.decode(body)
    except (ValueError, RecursionError):
        return None


def _ban_s(response: Response, error: _Error | None) -> float:
    """How long a ban lasts by its text; the core lengthens it to `Retry-After` where that is longer."""
    until = _BANNED_UNTIL_MS.search(error.msg) if error else None
    if not until:
        return _SHORTEST_BAN_S
    return min(max(1.0, int(until[1]) / 1000 - response.received_at.timestamp()), _LONGEST_BAN_S)


def _windows(body: bytes) -> tuple[Window, ...] | None:
    """The weight a minute that an `exchangeInfo` answer grants; None where it says nothing of the kind."""
    if not body.startswith(b"{"):
        return None
    try:
        limits = _stated.decode(body).rate_limits
    except (ValueError, RecursionError):
        return None
    found = [
        Window(seconds=60 * one.interval_num, weight=one.limit)
        for one in limits
        if (one.rate_limit_type, one.interval) == ("REQUEST_WEIGHT", "MINUTE")
        and one.interval_num > 0
        and one.limit > 0
    ]
    return tuple(found) or None
