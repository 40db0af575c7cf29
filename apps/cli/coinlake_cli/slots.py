"""What is known of a slot without asking the venue: its source is pure, so its requests can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from coinlake.model import Capture
from coinlake.source import Source


def is_whole(source: Source, dataset: str, slot: datetime, kept: Iterable[Capture]) -> bool:
    """Whether a slot's captures answer all that the source would ask for it."""
    kept = list(kept)
    wanted = chain(source.plan(dataset, slot), *(source.follow(capture) for capture in kept))
    return {request.page for request in wanted} <= {capture.page for capture in kept}


def has_past(source: Source, dataset: str, slot: datetime, present: datetime) -> bool:
    """Whether a slot that is over can still be asked for: what is asked names the slot's own time then."""
    return list(source.plan(dataset, slot)) != list(source.plan(dataset, present))
