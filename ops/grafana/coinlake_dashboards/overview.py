"""Overview: is it alive, is it fresh, is it complete? What is red here has its own dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import ALERTS, Panels, framed, source_of_metrics, with_row
from coinlake_dashboards.panels import (
    ANY_IS_BAD,
    Column,
    Steps,
    lines,
    number,
    over_time,
    rows,
    series_as_rows,
)
from coinlake_dashboards.queries import (
    OF_SOURCE,
    half_and_95,
    promql,
    promql_now,
    promql_table,
    sql_series,
    sql_table,
)

_AGE_OF_MARKET: Steps = ((None, "green"), (300, "orange"), (900, "red"))
"""Seconds. The objective is five minutes."""
_AGE_OF_ROWS: Steps = ((None, "green"), (600, "red"))
_LAG: Steps = ((None, "green"), (60, "orange"), (300, "red"))
_SLOTS_LATE: Steps = ((None, "green"), (2, "orange"), (3, "red"))
_DAY_S = 86_400


def overview() -> Dashboard:
    """The dashboard to begin with."""
    made = framed("coinlake-overview", "Overview", "Is it alive, fresh and complete?")
    made.with_variable(source_of_metrics())
    _alive(made)
    _promised(made)
    _fresh(made)
    _complete(made)
    _flow(made)
    _machine(made)
    return made


def _alive(made: Dashboard) -> None:
    with_row(
        made,
        "Alive",
        number(
            "Alerts that fire",
            "How many alerts fire now, but for the heartbeat.",
            promql_now(f"count({ALERTS}) or vector(0)"),
            width=4,
            unit="none",
            steps=ANY_IS_BAD,
        ),
        number(
            "Services",
            "Programs, servers and exporters: 1 where one answers or sends, 0 where it should and does not.",
            promql_now("coinlake:service:up", "{{service}}"),
            width=12,
            unit="none",
            steps=((None, "red"), (1, "green")),
        ),
        number(
            "Running for",
            "How long each program has been running. One that is gone is not shown.",
            promql_now("time() - max by (job) (coinlake_program_started_timestamp_seconds)", "{{job}}"),
            width=8,
            unit="s",
        ),
        series_as_rows(
            "What fires",
            "Each alert has a runbook of its name, in ops/runbooks.",
            promql_table(ALERTS),
            width=24,
            named={"alertname": "alert", "Value": "fires"},
        ).height(6),
    )


def _promised(made: Dashboard) -> None:
    with_row(
        made,
        "Promised",
        number(
            "Fresh, of 30 days",
            "The share of time in which a source's newest quote was received less than five minutes ago, or"
            " two slots where it is slower. Promised: 99 %.",
            promql_now('1 - coinlake:freshness:error_ratio30d{source=~"$source"}', "{{source}}"),
            width=12,
            unit="percentunit",
            steps=((None, "red"), (0.99, "green")),
        ).decimals(2),
        number(
            "End to end",
            "From receipt to row, 95 of 100 of the last five minutes took no longer. Promised: a minute.",
            promql_now("coinlake:end_to_end:p95_seconds"),
            width=6,
            unit="s",
            steps=((None, "green"), (60, "red")),
        ),
        number(
            "Complete",
            "The share of the lake that is in the warehouse, as verifying last found. Promised: all.",
            promql_now("coinlake:completeness:ratio"),
            width=6,
            unit="percentunit",
            steps=((None, "red"), (1, "green")),
            none="never verified",
        ).decimals(3),
    )


def _fresh(made: Dashboard) -> None:
    with_row(made, "Fresh", *_ages(), *_ages_by_both_clocks())


def _ages() -> Panels:
    """How old the newest is."""
    market_age = 'coinlake:source:market_age_seconds{source=~"$source"}'
    return (
        number(
            "Newest market time",
            "How long ago the newest price of each source was true at the venue (as_of).",
            promql_now(market_age, "{{source}}"),
            width=9,
            unit="s",
            steps=_AGE_OF_MARKET,
        ),
        number(
            "Last whole slot, in slots",
            "How many slots ago a slot of the feed was last stored whole.",
            promql_now(
                'coinlake:feed:age_seconds{source=~"$source"} / coinlake:feed:spacing_seconds',
                "{{source}} {{dataset}}",
            ),
            width=9,
            unit="none",
            steps=_SLOTS_LATE,
        ).decimals(1),
        number(
            "Last new row",
            "How long ago a batch brought something new, by the warehouse's own record.",
            sql_table("overview/last_new_row"),
            width=6,
            unit="s",
            steps=_AGE_OF_ROWS,
        ),
    )


def _ages_by_both_clocks() -> Panels:
    """By the venues' clocks and by ours."""
    market_age = 'coinlake:source:market_age_seconds{source=~"$source"}'
    return (
        rows(
            "Sources by both clocks",
            "When the newest price was true at the venue, and when it was received. Not the same thing.",
            sql_table("overview/freshness"),
            width=12,
            columns={"market time ago": Column("s", _AGE_OF_MARKET), "received ago": Column("s")},
        ),
        lines(
            "Age of the newest market time",
            "The same over time, at the moment of each scrape.",
            promql(market_age, "{{source}}"),
            width=12,
            unit="s",
            steps=_AGE_OF_MARKET,
        ).height(9),
    )


def _complete(made: Dashboard) -> None:
    with_row(made, "Complete", *_on_the_way(), *_verified())


def _on_the_way() -> Panels:
    """What is not in the warehouse, or never came."""
    return (
        number(
            "Captures on the way",
            "Captures on the near side of each hop and not on the far one.",
            promql_now("coinlake:hop:lag_captures", "{{hop}}"),
            width=8,
            unit="short",
        ),
        number(
            "Longest wait",
            "How long ago the first of those was received.",
            promql_now("coinlake:hop:lag_seconds", "{{hop}}"),
            width=8,
            unit="s",
            steps=_LAG,
        ),
        number(
            "Open dead letters",
            "What was refused and not yet accepted by a replay, among the newest ten thousand.",
            promql_now(
                'sum(max by (source, rule) (coinlake_dead_letters_open{source=~"$source"})) or vector(0)'
            ),
            width=4,
            unit="none",
            steps=((None, "green"), (1, "orange"), (100, "red")),
        ),
        number(
            "Slots missed",
            "Slots that went by without an attempt, in the shown time.",
            promql_now(
                "sum(max by (source, dataset) (clamp_min("
                'delta(coinlake_feed_missed_slots{source=~"$source"}[$__range]), 0))) or vector(0)'
            ),
            width=4,
            unit="none",
            steps=((None, "green"), (1, "orange")),
        ).decimals(0),
    )


def _verified() -> Panels:
    """What verifying found."""
    return (
        number(
            "Verified",
            "What holding the warehouse against the lake last found.",
            promql_now("min(coinlake_verify_clean)"),
            width=6,
            unit="bool_yes_no",
            steps=((None, "red"), (1, "green")),
            none="never",
        ),
        number(
            "Verified ago",
            "How long ago that was.",
            promql_now("time() - max(coinlake_verify_finished_timestamp_seconds)"),
            width=6,
            unit="s",
            steps=((None, "green"), (1.5 * _DAY_S, "orange"), (2 * _DAY_S, "red")),
            none="never",
        ),
        number(
            "Differences",
            "What it found to be missing, doubled, different, extra, damaged or lost.",
            promql_now("sum(max by (kind) (coinlake_verify_differences))"),
            width=6,
            unit="none",
            steps=ANY_IS_BAD,
            none="never",
        ),
        number(
            "Captures compared",
            "How many captures that was about.",
            promql_now("max(coinlake_verify_captures)"),
            width=6,
            unit="short",
            none="never",
        ),
    )


def _flow(made: Dashboard) -> None:
    with_row(
        made,
        "Flow",
        lines(
            "Captures",
            "New answers a second, by source.",
            promql(
                "sum by (source)"
                ' (rate(coinlake_lake_captures_total{new="yes", source=~"$source"}[$__rate_interval]))',
                "{{source}}",
            ),
            width=8,
            unit="cps",
            stacked=True,
        ),
        over_time(
            "New rows",
            "By when they were loaded; a bucket without a batch is empty.",
            sql_series("overview/new_rows"),
            width=8,
            unit="short",
        ),
        lines(
            "End to end",
            "From receiving a capture to the commit of its rows: half, and 95 of 100, took no longer.",
            *half_and_95("coinlake_load_capture_delay_seconds", OF_SOURCE),
            width=8,
            unit="s",
            from_zero=True,
        ),
    )


def _machine(made: Dashboard) -> None:
    with_row(
        made,
        "Machine, and telemetry itself",
        lines(
            "Free disk",
            "The share of each file system that is free.",
            promql(
                'node_filesystem_avail_bytes{fstype!~"ramfs|tmpfs"} / (node_filesystem_size_bytes > 0)',
                "{{mountpoint}}",
            ),
            width=12,
            unit="percentunit",
            steps=((None, "red"), (0.03, "orange"), (0.2, "green")),
            from_zero=True,
        ),
        lines(
            "Waiting at the collector",
            "Batches that it keeps because Loki, Tempo or Prometheus do not take them.",
            promql("sum by (exporter) (otelcol_exporter_queue_size)", "{{exporter}}"),
            width=12,
            unit="none",
            from_zero=True,
        ),
    )
