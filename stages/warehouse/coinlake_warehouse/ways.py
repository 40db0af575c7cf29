"""The way of one capture, as far as the warehouse has it on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coinlake_warehouse.asking import Asking


@dataclass(frozen=True, slots=True)
class Way:
    """How a capture became rows: the batch that loaded it first."""

    source: str
    dataset: str
    slot: datetime
    position: int
    batch_id: int
    kind: str
    captures: int
    started_at: datetime
    committed_at: datetime
    traceparent: str
    dead_letters: int
    """What of the capture was ever refused."""


@dataclass(frozen=True, slots=True)
class _CaptureId:
    capture_id: UUID


class Ways(Asking):
    """Finds the ways of captures; errors of `Asking`."""

    def way(self, capture_id: UUID, position: int | None) -> Way | None:
        """How that capture was loaded; None where it was not yet. `position` is the lake's, if known."""
        rows = self._all(Way, "way", capture_id=capture_id, position=position)
        return rows[0] if rows else None

    def capture_of(self, source: str, asset: str, quote_currency: str, as_of: datetime | None) -> UUID | None:
        """The capture that a quote was read from: the newest where no moment is given; None without one."""
        named = {"source": source, "asset": asset, "quote_currency": quote_currency}
        rows = self._all(_CaptureId, "capture_of", **named, as_of=as_of)
        return rows[0].capture_id if rows else None
