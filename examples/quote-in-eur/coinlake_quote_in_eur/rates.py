"""The euro reference rates of the European Central Bank, as they were known at any moment."""

from __future__ import annotations

import csv
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

_PUBLISHED_UTC = timedelta(hours=15)
"""Rates come out at about 16:00 in Frankfurt: at 15:00 UTC they are known in winter and in summer."""
_HOLDS = timedelta(days=5)
"""A rate stands until the next one is out, which takes five days at most, as from the Thursday before Easter
to the Tuesday after it. Where the table has none by then, there is one that it lacks."""

_TABLE = files("coinlake_quote_in_eur").joinpath("usd_per_eur.csv").read_text(encoding="utf-8")
_RATES = sorted(
    (datetime.fromisoformat(row["date"]).replace(tzinfo=UTC) + _PUBLISHED_UTC, Decimal(row["usd_per_eur"]))
    for row in csv.DictReader(_TABLE.splitlines())
)
_MOMENTS = [moment for moment, _ in _RATES]


def usd_per_eur(moment: datetime) -> Decimal | None:
    """Dollars for one euro as they were known then, by the newest rate that was out; None where none was."""
    place = bisect_right(_MOMENTS, moment) - 1
    if place < 0 or moment - _MOMENTS[place] >= _HOLDS:
        return None
    return _RATES[place][1]
