"""What to ask CoinGecko: the pages of `markets`, and windows of a coin's past."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import msgspec

from coinlake.model import Capture, Request

PAGE_ROWS = 250
"""The most rows CoinGecko puts on a page."""

FINE = timedelta(hours=24) - timedelta(minutes=10)
"""How far back prices come every 5 minutes: one day up to the present, less the time until we ask."""
HOURLY = timedelta(days=90)
"""The longest window whose prices come hourly; of a longer one only daily prices come."""

_rows = msgspec.json.Decoder(list[msgspec.Raw])


def pages(top: int) -> int:
    """How many pages hold the `top` coins."""
    return math.ceil(top / PAGE_ROWS)


def markets_page(top: int, vs_currency: str, page: int) -> Request:
    """One page of the largest coins.

    A page begins where `per_page` times the pages before it end, so all pages have to be of one size.
    It is chosen so that the pages hold `top` coins and at most `pages(top) - 1` more; those are kept too.
    """
    return Request(
        path="/coins/markets",
        params=(
            ("vs_currency", vs_currency),
            ("order", "market_cap_desc"),
            ("per_page", str(math.ceil(top / pages(top)))),
            ("page", str(page)),
            ("sparkline", "false"),
            ("precision", "full"),
        ),
        page=page,
    )


def next_page(top: int, capture: Capture) -> Iterator[Request]:
    """The page behind a captured one; none behind the last, a short or empty one, or one that is no list."""
    params = dict(capture.params)
    try:
        rows = len(_rows.decode(capture.body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    if capture.page < pages(top) and rows >= int(params["per_page"]):
        yield markets_page(top, params["vs_currency"], capture.page + 1)


def chart_windows(
    asset: str, vs_currency: str, window: tuple[datetime, datetime], now: datetime
) -> Iterator[Request]:
    """Requests whose windows join to cover [start, end) of a coin's past, each as fine as CoinGecko has it.

    The venue takes whole seconds and counts both ends in: neighbours share one second's instant, and a
    price at exactly that instant comes twice, as the same row.
    """
    start, end = math.floor(window[0].timestamp()), math.ceil(min(window[1], now).timestamp())
    hourly_end = min(end, math.ceil((now - FINE).timestamp()))
    hourly_starts = range(start, hourly_end, int(HOURLY.total_seconds()))
    bounds = sorted({*hourly_starts, max(start, hourly_end), max(start, end)})
    for page, (since, until) in enumerate(pairwise(bounds), start=1):
        yield Request(
            path=f"/coins/{quote(asset, safe='')}/market_chart/range",
            params=(
                ("vs_currency", vs_currency),
                ("from", str(since)),
                ("to", str(until)),
                ("precision", "full"),
            ),
            page=page,
        )
