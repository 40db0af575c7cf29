"""Quality: what was refused, what differs, what the venues did not say."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import (
    TO_CAPTURE,
    Panels,
    framed,
    source_of_metrics,
    width_of_candles,
    with_row,
)
from coinlake_dashboards.panels import (
    ANY_IS_BAD,
    FAR_FROM_MEDIAN,
    Column,
    lines,
    number,
    over_time,
    rows,
)
from coinlake_dashboards.queries import (
    OF_SOURCE,
    in_shown_time,
    increase,
    promql,
    promql_now,
    sql_series,
    sql_table,
)

_ANY = Column(colours=((None, "text"), (1, "red")))


def quality() -> Dashboard:
    """Dead letters, what verifying found, prices far from the others'."""
    made = framed(
        "coinlake-quality", "Quality", "What was refused, what differs, what was not said.", since="now-24h"
    )
    made.with_variable(source_of_metrics())
    made.with_variable(width_of_candles(("5m", "1h", "1d"), "1h"))
    _dead_letters(made)
    _verify(made)
    _prices(made)
    return made


def _dead_letters(made: Dashboard) -> None:
    with_row(made, "Dead letters", *_refused(), *_letters())


def _refused() -> Panels:
    """What is refused, over time."""
    return (
        over_time(
            "Refused",
            "By the rule that was broken.",
            promql(
                increase("coinlake_dead_letters_total", "source, rule", OF_SOURCE),
                "{{source}} {{rule}}",
            ),
            width=8,
            unit="none",
        ),
        over_time(
            "Refused and still open",
            "By when they were refused: load time, not market time.",
            sql_series("quality/rejected"),
            width=8,
            unit="none",
        ),
        lines(
            "Open",
            "What was refused and not accepted by a replay, among the newest ten thousand.",
            promql(
                f"sum by (rule) (max by (source, rule) (coinlake_dead_letters_open{OF_SOURCE}))", "{{rule}}"
            ),
            width=8,
            unit="none",
            stacked=True,
        ),
    )


def _letters() -> Panels:
    """Which rules, which letters; and what was lost on the way."""
    return (
        rows(
            "Open by rule",
            "Of all sources. `coinlake replay` tries again.",
            sql_table("quality/open_by_rule"),
            width=8,
        ),
        rows(
            "The newest",
            "A capture leads to its trace and its logs.",
            sql_table("quality/letters"),
            width=16,
            columns={"bytes": Column("bytes"), "capture": Column(link=TO_CAPTURE)},
        ),
        number(
            "Quarantined",
            "Captures that the warehouse refused, and are whole dead letters, in the shown time.",
            promql_now(in_shown_time("coinlake_load_quarantined_total", OF_SOURCE)),
            width=12,
            unit="none",
            steps=ANY_IS_BAD,
        ).decimals(0),
        number(
            "Telemetry dropped",
            "Spans and exports of metrics that no collector took, in the shown time.",
            promql_now(
                "sum by (signal) (increase(coinlake_telemetry_dropped_total[$__range]))", "{{signal}}"
            ),
            width=12,
            unit="none",
            steps=((None, "green"), (1, "orange")),
            none="none",
        ).decimals(0),
    )


def _verify(made: Dashboard) -> None:
    with_row(
        made,
        "Verify",
        lines(
            "Differences",
            "What holding the warehouse against the lake last found. Empty until it was first done.",
            promql("max by (kind) (coinlake_verify_differences)", "{{kind}}"),
            width=12,
            unit="none",
            from_zero=True,
        ),
        rows(
            "Verifications",
            "The newest, with what each found. A part says nothing of the rest.",
            sql_table("quality/verifications"),
            width=12,
            columns={
                "took": Column("s"),
                **dict.fromkeys(("missing", "doubled", "different", "extra", "damaged", "lost"), _ANY),
            },
        ).height(8),
    )


def _prices(made: Dashboard) -> None:
    with_row(
        made,
        "Prices",
        rows(
            "Far from the median",
            "Each mapped asset in its newest bucket, and the venue that is furthest from the others there.",
            sql_table("quality/outliers"),
            width=16,
            columns={
                "from the median": Column(colours=FAR_FROM_MEDIAN),
                "before the bucket's end": Column("s"),
            },
        ),
        rows(
            "Not said",
            "Of the newest quotes: what the venue gave no value for. Null is not zero.",
            sql_table("quality/unsaid"),
            width=8,
        ),
    )
