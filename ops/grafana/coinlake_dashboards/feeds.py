"""Sources and quota: what each venue gives, allows and forbids."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import Panels, framed, source_of_metrics, with_row
from coinlake_dashboards.panels import Column, Steps, lines, number, over_time, rows, series_as_rows
from coinlake_dashboards.queries import OF_SOURCE, increase, promql, promql_now, promql_table, sql_table

_LEFT: Steps = ((None, "red"), (0.1, "orange"), (0.25, "green"))


def feeds() -> Dashboard:
    """The health of each feed, and how far its quota reaches."""
    says = "What each venue gives, allows and forbids."
    made = framed("coinlake-sources", "Sources and quota", says)
    made.with_variable(source_of_metrics())
    _feeds(made)
    _quota(made)
    _answers(made)
    return made


def _of_feed(metric: str) -> str:
    return f"max by (source, dataset) ({metric}{OF_SOURCE})"


def _feeds(made: Dashboard) -> None:
    with_row(made, "Feeds", *_feeds_now(), *_slots())


def _feeds_now() -> Panels:
    """How each feed fares."""
    return (
        series_as_rows(
            "Feeds",
            "Freshness by arrival: when a slot was last stored whole, and last begun.",
            promql_table(f"coinlake:feed:age_seconds{OF_SOURCE}"),
            promql_table(f"time() - {_of_feed('coinlake_feed_last_attempt_timestamp_seconds')}"),
            promql_table(f"coinlake:feed:spacing_seconds{OF_SOURCE}"),
            promql_table(_of_feed("coinlake_feed_failures_in_a_row")),
            promql_table(_of_feed("coinlake_feed_missed_slots")),
            width=24,
            named={
                "Value #A": "whole",
                "Value #B": "begun",
                "Value #C": "spacing",
                "Value #D": "failures in a row",
                "Value #E": "slots missed ever",
            },
            columns={
                "whole": Column("s"),
                "begun": Column("s"),
                "spacing": Column("s"),
                "failures in a row": Column(colours=((None, "green"), (1, "orange"), (3, "red"))),
            },
        ),
    )


def _slots() -> Panels:
    """What became of slots."""
    return (
        over_time(
            "Slots",
            "Slots that were finished: whole, or given up for an error, by what the error asks for.",
            promql(
                increase("coinlake_feed_slots_total", "source, dataset, error", OF_SOURCE),
                "{{source}} {{dataset}} {{error}}",
            ),
            width=12,
            unit="none",
        ),
        rows(
            "Slots that are loaded",
            "By the warehouse's own record: which slots of the shown time have captures there.",
            sql_table("sources/slots"),
            width=12,
        ).height(8),
    )


def _quota(made: Dashboard) -> None:
    left = f"max by (source, period) (coinlake_source_quota_left{OF_SOURCE})"
    limit = f"max by (source, period) (coinlake_source_quota_limit{OF_SOURCE})"
    with_row(
        made,
        "Quota",
        number(
            "Held",
            "How long nothing is sent to the source: a ban, or a pause that it asked for.",
            promql_now(f"coinlake:source:held_seconds{OF_SOURCE}", "{{source}}"),
            width=8,
            unit="s",
            steps=((None, "green"), (1, "orange"), (300, "red")),
        ).height(8),
        number(
            "Left",
            "What the venue still allows in the present period, of what it allows in a whole one.",
            promql_now(f"{left} / ({limit} > 0)", "{{source}} {{period}}"),
            width=8,
            unit="percentunit",
            steps=_LEFT,
        ).height(8),
        number(
            "Left at the month's end",
            "Credits that would be left then, going on as in the last six hours. Below 0 they do not last.",
            promql_now(f"coinlake:quota:left_at_months_end{OF_SOURCE}", "{{source}}"),
            width=8,
            unit="short",
            steps=((None, "red"), (0, "green")),
        ).height(8),
        lines(
            "Left over time",
            "What the venue still allows, by period: calls, weight or credits, as it counts them.",
            promql(left, "{{source}} {{period}}"),
            width=24,
            unit="short",
            from_zero=True,
        ),
    )


def _answers(made: Dashboard) -> None:
    with_row(
        made,
        "Answers",
        lines(
            "Refused or failed calls",
            "Calls a second that brought no answer worth keeping, by reason.",
            promql(
                "sum by (source, error_type)"
                ' (rate(http_client_request_duration_seconds_count{source=~"$source", error_type!=""}'
                "[$__rate_interval]))",
                "{{source}} {{error_type}}",
            ),
            width=12,
            unit="reqps",
            from_zero=True,
        ),
        lines(
            "Received, and true at the venue",
            "How long ago the newest quote was received, and the newest price was true: its delay.",
            promql(
                f"time() - max by (source) (coinlake_source_fetched_timestamp_seconds{OF_SOURCE})",
                "{{source}} received",
            ),
            promql(
                f"time() - max by (source) (coinlake_source_market_time_timestamp_seconds{OF_SOURCE})",
                "{{source}} true",
            ),
            width=12,
            unit="s",
            from_zero=True,
        ),
        rows(
            "Not in the map of assets",
            "The largest that cannot be compared across venues: the map of assets does not name them.",
            sql_table("sources/unmapped"),
            width=24,
        ),
    )
