"""The protocol between the pipeline and a warehouse: whole batches, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from coinlake.model import Decoded, Held


@dataclass(frozen=True, slots=True)
class Batch:
    """Captures of one lake and what refining them gave."""

    kind: Literal["tail", "replay"]
    lake_id: UUID
    after: int
    """Position the batch was read behind. A tail batch moves the warehouse's position from here on."""
    captures: Sequence[Held] = field(repr=False)
    decoded: Decoded = field(repr=False)
    started_at: datetime
    traceparent: str


class BrokenRule(NamedTuple):
    """Why there is a dead letter."""

    source: str
    stage: str
    rule: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a committed batch did; the counts stand in `batches` too."""

    batch_id: int
    quotes_read: int
    quotes_new: int
    rejects: int
    candles: int
    venue_candles: int = 0
    instruments: int = 0
    received: Mapping[str, Sequence[datetime]] = field(default_factory=dict, compare=False, repr=False)
    """When its captures were received, by source."""
    broken_rules: Mapping[BrokenRule, int] = field(default_factory=dict, compare=False, repr=False)
    """How many dead letters it wrote, by each rule that they broke."""


class Warehouse(Protocol):
    """Where refined rows go. Loading the same captures again changes nothing."""

    def position(self, lake_id: UUID) -> int:
        """How far that lake has been loaded; 0 at first. `FixConfiguration` for another lake than before."""

    def load(self, batch: Batch, *, staged: Callable[[], None] = lambda: None) -> Loaded:
        """All rows, dead letters, the position and the batch record in one transaction.

        `staged` is called when all is written and nothing committed. Raises `TryAgain` when the server
        is away or another loader has moved the position since (read it and go on from there), and
        `Refused` when the server refuses a value of the batch (nothing of it is loaded then).
        """
