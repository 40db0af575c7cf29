"""What people read of several venues: prices side by side, the widest gaps, what the map does not name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from coinlake_warehouse.asking import Asking

_SHARED_WITHIN_BUCKETS = 12
"""How far a gap is looked for: an hour of five minutes, half a day of hours, twelve days."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What an asset cost at one venue in one currency and bucket; see the view `price_comparison`.

    None is what is not known: the dollar price of a currency that no venue priced in that bucket.
    """

    asset: str
    name: str
    open_time: datetime
    source: str
    venue_asset: str
    quote_currency: str
    price: Decimal
    usd_rate: Decimal | None
    price_usd: Decimal | None
    median_usd: Decimal | None
    distance_bp: Decimal | None
    face_distance_bp: Decimal | None
    as_of: datetime
    age: timedelta
    legs: int
    synthetic: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """The venue, its name of the asset, and the currency."""
        return self.source, self.venue_asset, self.quote_currency


@dataclass(frozen=True, slots=True)
class Gap:
    """How far apart the venues are on one asset, in the newest bucket in which two of them have a price."""

    behind: timedelta
    """How far that bucket lies behind the newest one that any venue has of the asset."""
    legs: Sequence[Leg]
    """Those with a price in US dollars, the lowest first."""

    @property
    def lowest(self) -> Leg:
        """The leg with the lowest price in US dollars."""
        return self.legs[0]

    @property
    def highest(self) -> Leg:
        """The leg with the highest price in US dollars."""
        return self.legs[-1]

    @property
    def width_bp(self) -> Decimal:
        """From the lowest to the highest price, in basis points of the median."""
        return (self.highest.distance_bp or Decimal()) - (self.lowest.distance_bp or Decimal())


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An instrument, or an asset that is quoted, that the map of assets does not name."""

    source: str
    asset: str
    quote_currency: str
    instrument: str | None
    status: str | None


class Comparing(Asking):
    """The questions about several venues."""

    def comparison(self, asset: str, interval: str, *, buckets: int) -> list[Leg]:
        """An asset's prices at all venues in its last buckets, oldest first; empty for an unknown one."""
        return self._all(Leg, "comparison", asset=asset, interval=interval, buckets=buckets)

    def widest_gaps(self, interval: str, *, limit: int) -> list[Gap]:
        """The assets on which venues differ most, the widest gap first.

        Each in its newest bucket in which two venues have a price in US dollars, of the twelve up to where
        the second venue's prices end; an asset without one is left out.
        """
        legs = self._all(_SharedLeg, "newest_legs", interval=interval, buckets=_SHARED_WITHIN_BUCKETS)
        gaps = list(_gaps(legs))
        return sorted(gaps, key=lambda gap: gap.width_bp, reverse=True)[:limit]

    def unmapped(self) -> list[Unmapped]:
        """What the venues have and the map of assets does not name, by source and asset.

        An instrument is judged by when it was fetched last, a quoted asset by when it was priced last.
        """
        return self._all(Unmapped, "unmapped")


@dataclass(frozen=True, slots=True)
class _SharedLeg(Leg):
    behind: timedelta


def _gaps(legs: Sequence[_SharedLeg]) -> Iterator[Gap]:
    for _, of_asset in groupby(legs, key=lambda leg: leg.asset):
        priced = [leg for leg in of_asset if leg.distance_bp is not None]
        if priced:
            yield Gap(priced[0].behind, sorted(priced, key=lambda leg: (leg.price_usd, leg.key)))
