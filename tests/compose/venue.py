"""Recorded answers in place of CoinGecko, on loopback beside Airflow's scheduler: a page a minute.

Runs in the container of the scheduler, by the Python of the program `coinlake`.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from datetime import datetime

from coinlake.clock import SystemClock
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER

PORT = 8500
_MINUTE_S = 60
_MOMENTS = 60
"""Of the newest, which are of CoinGecko's top 100."""


class RecordedMoments(SystemClock):
    """Another recorded moment each minute, whoever starts when; after the last comes the first."""

    def __init__(self, moments: Sequence[datetime]) -> None:
        self._moments = moments

    def now(self) -> datetime:
        """The recorded moment of this minute."""
        return self._moments[int(time.time() // _MINUTE_S) % len(self._moments)]


def main() -> None:
    """Serves until told to stop."""
    recordings = load(FOLDER / "coins_markets")
    moments = sorted({one.recorded_at for one in recordings if one.recorded_at})[-_MOMENTS:]
    with ReplayServer(recordings, CoinGeckoMimic(), RecordedMoments(moments), port=PORT):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
