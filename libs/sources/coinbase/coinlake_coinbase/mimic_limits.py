"""How Coinbase refuses what comes too fast or makes no sense: part of the mimic for the replay server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache

import msgspec

from coinlake.testing.mimic import Answer
from coinlake.testing.recordings import Recording, load
from coinlake_coinbase import recordings

JSON = {"content-type": "application/json; charset=utf-8"}

_PER_SECOND = 10


class Bursts:
    """One address' calls: `burst` at once, ten a second after that. Without a burst nothing is refused."""

    def __init__(self, burst: int | None) -> None:
        self._burst = burst
        self._left = float(burst or 0)
        self._at: datetime | None = None

    def refusal(self, now: datetime) -> Answer | None:
        """Counts a call, or refuses it; a refused one costs nothing."""
        if self._burst is None:
            return None
        passed_s = (now - self._at).total_seconds() if self._at else 0
        self._left, self._at = min(self._left + passed_s * _PER_SECOND, self._burst), now
        if self._left < 1:
            return recorded_error("429_public_rate_limit.json")
        self._left -= 1
        return None


def recorded_error(name: str) -> Answer:
    """A refusal as it was recorded."""
    recorded = _errors()[name]
    return Answer(recorded.status, JSON, recorded.body)


def error(status: int, message: str) -> Answer:
    """A refusal in Coinbase's form."""
    return Answer(status, JSON, msgspec.json.encode({"message": message}))


@cache
def _errors() -> Mapping[str, Recording]:
    return {recording.path.name: recording for recording in load(recordings.ERRORS)}
