"""What alerts are about, besides what the page shows: does anything new come, and did a price fall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from coinlake_warehouse.asking import Asking


@dataclass(frozen=True, slots=True)
class Change:
    """How far a source's newest price of an asset is from its own of 24 hours before."""

    source: str
    quote_currency: str
    as_of: datetime
    """When the newest price was true, by the source's own clock."""
    change: Decimal
    """Of the price of 24 hours before: -0.1 for a tenth less."""


@dataclass(frozen=True, slots=True)
class _Moment:
    moment: datetime


class Alarming(Asking):
    """The questions of alerts; the exporter of PostgreSQL asks the same for Prometheus."""

    def newest_row_at(self) -> datetime | None:
        """When a batch of the tail that brought new rows was last committed; None where none did yet."""
        rows = self._all(_Moment, "newest_row")
        return rows[0].moment if rows else None

    def changes_24h(self, asset: str) -> list[Change]:
        """An asset (of the map) at each source that has a price of it a day before its newest, in dollars."""
        return self._all(Change, "changes_24h", asset=asset)
