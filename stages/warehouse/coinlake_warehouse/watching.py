"""What a warehouse shows to whoever watches it: how fresh it is, what was refused, how old the proof is."""

from __future__ import annotations

from collections.abc import Iterator

from coinlake.telemetry import Seen, metrics
from coinlake_warehouse.reading import Reader


def watch(reader: Reader) -> Iterator[Seen]:
    """The warehouse's own numbers now."""
    for fresh in reader.freshness():
        yield metrics.MARKET_TIME, fresh.newest_as_of.timestamp(), {"source": fresh.source}
        yield metrics.FETCHED_TIME, fresh.newest_fetched_at.timestamp(), {"source": fresh.source}
    for broken in reader.rules_broken():
        yield metrics.DEAD_LETTERS_OPEN, broken.letters, {"source": broken.source, "rule": broken.rule}
    if (last := reader.verification()) is None:
        return
    yield metrics.VERIFIED, last.finished_at.timestamp(), {}
    yield metrics.VERIFY_CLEAN, int(last.is_clean), {}
    yield metrics.VERIFY_CAPTURES, last.captures, {}
    yield metrics.VERIFY_DURATION, last.seconds, {}
    for kind in ("missing", "doubled", "different", "extra", "damaged", "lost"):
        yield metrics.VERIFY_DIFFERENCES, getattr(last, kind), {"kind": kind}
