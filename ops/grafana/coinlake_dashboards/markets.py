"""Markets: prices by market time. What is read has all its digits; what is drawn is a binary number."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import TO_CAPTURE, Panels, framed, from_warehouse, width_of_candles, with_row
from coinlake_dashboards.panels import FAR_FROM_MEDIAN, Column, Steps, bars, candles, lines, number, rows
from coinlake_dashboards.queries import sql_series, sql_table

_UP_OR_DOWN: Steps = ((None, "red"), (0, "green"))
_AGE: Steps = ((None, "green"), (300, "orange"), (900, "red"))
_THIS_ASSET = (
    "Show it",
    "/d/coinlake-markets?var-source=${source}&var-currency=${currency}"
    "&var-asset=${__data.fields.asset}&var-interval=${interval}&${__url_time_range}",
)


def markets() -> Dashboard:
    """Prices, candles, movers, market caps, and venues compared."""
    says = "Prices by market time: when the venue says that they were true, not when they were loaded."
    made = framed("coinlake-markets", "Markets", says, since="now-24h", refresh="1m")
    made.with_variable(from_warehouse("source", "Source", "markets/sources"))
    made.with_variable(from_warehouse("currency", "Currency", "markets/currencies"))
    made.with_variable(from_warehouse("asset", "Asset", "markets/assets"))
    made.with_variable(width_of_candles(("5m", "1h", "1d"), "5m"))
    _asset(made)
    _market(made)
    _venues(made)
    return made


def _asset(made: Dashboard) -> None:
    with_row(made, "${asset} at ${source}", *_at_a_glance(), *_over_time())


def _at_a_glance() -> Panels:
    """The newest numbers of the asset."""
    return (
        number(
            "Price",
            "The newest price, with all its digits.",
            sql_table("markets/price"),
            width=7,
            unit="string",
            fields="/^price$/",
        ),
        number(
            "True how long ago",
            "How long ago that was the price, by the venue's own clock.",
            sql_table("markets/price_age"),
            width=4,
            unit="s",
            steps=_AGE,
        ),
        number(
            "Change in the shown time",
            "From the first open to the last close of the shown time.",
            sql_table("markets/change"),
            width=4,
            unit="percent",
            steps=_UP_OR_DOWN,
        ).decimals(2),
        number(
            "Size",
            "As the venue counts it; empty where it does not say.",
            sql_table("markets/size"),
            width=9,
            unit="short",
        ),
    )


def _over_time() -> Panels:
    """The asset by market time."""
    return (
        candles(
            "Candles",
            "At their opening, in UTC: the venue's own where it serves any, else made of its quotes."
            " A bucket without a price has none.",
            sql_series("markets/candles"),
            width=16,
        ),
        lines(
            "Market cap",
            "The last that was said in each bucket. Where nothing was said, nothing is drawn.",
            sql_series("markets/market_cap"),
            width=8,
            unit="short",
        ).height(12),
        lines(
            "Every quote",
            "Each price at its market time. Points are not joined: between them nothing is known.",
            sql_series("markets/quoted"),
            width=16,
            unit="none",
            points=True,
        ),
        lines(
            "How old prices were when received",
            "From market time to receipt: the venue's delay and ours.",
            sql_series("markets/price_delay"),
            width=8,
            unit="s",
            points=True,
            from_zero=True,
        ),
    )


def _market(made: Dashboard) -> None:
    with_row(made, "All of ${source} in ${currency}", *_movers(), *_prices())


def _movers() -> Panels:
    """What rose and fell, and what is large."""
    moved = {"asset": Column(link=_THIS_ASSET), "change": Column("percent", _UP_OR_DOWN)}
    guard = "Only what was quoted in the first and in the last tenth of that time."
    return (
        rows(
            "Risers",
            f"What rose most in the shown time, by market time. {guard}",
            sql_table("markets/movers", beyond=">", order="DESC"),
            width=9,
            columns=moved,
        ),
        rows(
            "Fallers",
            f"What fell most in the shown time, by market time. {guard}",
            sql_table("markets/movers", beyond="<", order="ASC"),
            width=9,
            columns=moved,
        ),
        bars(
            "Largest market caps",
            "The ten largest, as the venue counts them.",
            sql_table("markets/largest"),
            width=6,
            unit="short",
            each_row=True,
        ).height(9),
    )


def _prices() -> Panels:
    """Every price."""
    return (
        rows(
            "Prices",
            "The newest quotes with their exact digits. A capture leads to its trace and its logs.",
            sql_table("markets/prices"),
            width=24,
            columns={
                "asset": Column(link=_THIS_ASSET),
                "24 h": Column("percent", _UP_OR_DOWN),
                "market cap": Column("short"),
                "volume 24 h": Column("short"),
                "capture": Column(link=TO_CAPTURE),
            },
        ).height(12),
    )


def _venues(made: Dashboard) -> None:
    unmapped = "Empty where the map of assets does not name this one."
    with_row(
        made,
        "${asset} at every venue",
        lines(
            "In US dollars",
            f"The close of each bucket, converted by what the currency itself cost. {unmapped}",
            sql_series("markets/across", column="price_usd", shown_as="price"),
            width=12,
            unit="none",
        ),
        lines(
            "From the median",
            f"Hundredths of a percent from the median of all venues. {unmapped}",
            sql_series("markets/across", column="distance_bp", shown_as="distance"),
            width=12,
            unit="none",
        ),
        rows(
            "Side by side",
            "The newest bucket of the shown time. An old price is not worth comparing: see how long before"
            " the bucket's end it was true.",
            sql_table("markets/compared"),
            width=24,
            columns={
                "before the bucket's end": Column("s"),
                "from the median": Column(colours=FAR_FROM_MEDIAN),
            },
        ).height(7),
    )
