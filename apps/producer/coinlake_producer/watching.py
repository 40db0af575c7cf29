"""How far publishing is behind the lake, for whoever watches."""

from __future__ import annotations

from collections.abc import Iterator

from coinlake.clock import Clock
from coinlake.lake import Lake
from coinlake.positions import Positions
from coinlake.telemetry import Seen, metrics

_HOP = {"hop": "lake_to_topic"}


def lag(lake: Lake, positions: Positions, clock: Clock) -> Iterator[Seen]:
    """The captures behind the mark, and how long ago the first of them was received."""
    mark = positions.read().position
    yield metrics.LAG_CAPTURES, lake.count_after(mark), _HOP
    first = lake.tail(mark, captures=1, body_bytes=1)
    behind_s = (clock.now() - first[0].capture.received_at).total_seconds() if first else 0.0
    yield metrics.LAG_DURATION, behind_s, _HOP
