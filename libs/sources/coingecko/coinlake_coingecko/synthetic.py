"""Made-up `coins/markets` pages between recorded ones, for load tests.

A coin's prices, volume and market capitalisation go from one recording to the next with a little noise,
all by one factor, and its `last_updated` moves along; every other byte of its row stays as recorded.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal

import msgspec

from coinlake.testing.recordings import Recording

_NOISE = 0.002
"""Standard deviation of the noise on a price, as a share of it."""
_DIGITS = Context(prec=10)
_SCALED = re.compile(
    rb'("(?:current_price|market_cap|total_volume|high_24h|low_24h)"\s*:\s*)(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)'
)
_UPDATED = re.compile(rb'("last_updated"\s*:\s*")([^"]+)"')
_NAMED = re.compile(rb'("id"\s*:\s*"[^"]*)"')

_rows = msgspec.json.Decoder(list[msgspec.Raw])


class _Row(msgspec.Struct):
    id: str
    current_price: Decimal | None = None


_row = msgspec.json.Decoder(_Row)


@dataclass(frozen=True)
class MarketsBetween:
    """A `coinlake.testing.synthetic.MakeBody`; copies under ids of their own stretch a page to `coins`."""

    coins: int | None = None

    def __call__(self, earlier: Recording, later: Recording, moment: datetime, noise: random.Random) -> bytes:
        """The body of a page at `moment`."""
        assert earlier.recorded_at is not None
        assert later.recorded_at is not None
        age, span = moment - earlier.recorded_at, later.recorded_at - earlier.recorded_at
        ends = {row.id: row.current_price for row in map(_row.decode, _rows.decode(later.body))}
        rows = [bytes(row) for row in _rows.decode(earlier.body)]
        made = []
        for place in range(self.coins or len(rows)):
            copy, row = place // len(rows), rows[place % len(rows)]
            start = _row.decode(row)
            drift = _drift(start.current_price, ends.get(start.id)) * Decimal(age / span)
            factor = 1 + drift + Decimal(noise.gauss(0, _NOISE))
            made.append(_moved(row, factor, age, copy))
        return b"[" + b",".join(made) + b"]"


def _drift(start: Decimal | None, end: Decimal | None) -> Decimal:
    return end / start - 1 if start and end else Decimal(0)


def _moved(row: bytes, factor: Decimal, age: timedelta, copy: int) -> bytes:
    def scaled(match: re.Match[bytes]) -> bytes:
        digits = _DIGITS.multiply(Decimal(match[2].decode()), factor)
        return match[1] + str(digits).encode()

    def later(match: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(match[2].decode()) + age
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return match[1] + text.encode() + b'"'

    row = _UPDATED.sub(later, _SCALED.sub(scaled, row))
    return _NAMED.sub(rb'\1-copy-%d"' % copy, row) if copy else row
