"""Pipeline: each hop from the venue to the row, in the order of the flow."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import TO_TRACE, framed, source_of_metrics, with_row
from coinlake_dashboards.panels import ANY_IS_BAD, Column, Steps, lines, number, over_time, rows
from coinlake_dashboards.queries import Query, promql, promql_now, sql_series, sql_table

_OF_SOURCE = '{source=~"$source"}'
_LAG: Steps = ((None, "green"), (60, "orange"), (300, "red"))
_HOUR_S = 3600


def pipeline() -> Dashboard:
    """Throughput, errors and lag of each hop."""
    made = framed("coinlake-pipeline", "Pipeline", "Throughput, errors and lag of each hop.")
    made.with_variable(source_of_metrics())
    _lag(made)
    _venue_to_lake(made)
    _lake_to_topic(made)
    _topic_to_warehouse(made)
    _batches(made)
    return made


def quantile(share: str, histogram: str, by: str = "", having: str = "") -> str:
    """PromQL: what so large a share of a histogram's observations did not exceed."""
    labels = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{having}[$__rate_interval])))"
    )


def _half_and_95(histogram: str, having: str = "") -> tuple[Query, Query]:
    return (
        promql(quantile("0.5", histogram, having=having), "half"),
        promql(quantile("0.95", histogram, having=having), "95 %"),
    )


def _lag(made: Dashboard) -> None:
    with_row(
        made,
        "How far behind",
        lines(
            "Waiting time",
            "At each hop: how long ago the first capture that has not passed it was received.",
            promql("max by (hop) (coinlake_hop_lag_duration_seconds)", "{{hop}}"),
            width=8,
            unit="s",
            steps=_LAG,
            from_zero=True,
        ),
        lines(
            "Waiting captures",
            "At each hop: captures on its near side and not on its far one.",
            promql("max by (hop) (coinlake_hop_lag_captures)", "{{hop}}"),
            width=8,
            unit="short",
            from_zero=True,
        ),
        lines(
            "End to end",
            "From receiving a capture to the commit of its rows.",
            *_half_and_95("coinlake_load_capture_delay_seconds", _OF_SOURCE),
            width=8,
            unit="s",
            from_zero=True,
        ),
    )


def _venue_to_lake(made: Dashboard) -> None:
    with_row(
        made,
        "Venue → lake",
        lines(
            "Calls",
            "Calls to venues a second, by status; none where no answer came.",
            promql(
                "sum by (source, http_response_status_code, error_type)"
                f" (rate(http_client_request_duration_seconds_count{_OF_SOURCE}[$__rate_interval]))",
                "{{source}} {{http_response_status_code}} {{error_type}}",
            ),
            width=8,
            unit="reqps",
            stacked=True,
        ),
        lines(
            "Time of a call",
            "From sending to the last byte: 95 of 100 took no longer.",
            promql(
                quantile("0.95", "http_client_request_duration_seconds", "source", _OF_SOURCE), "{{source}}"
            ),
            width=8,
            unit="s",
            from_zero=True,
        ),
        lines(
            "Captures",
            "Answers that became durable a second; not new are those that the lake had already.",
            promql(
                f"sum by (source, new) (rate(coinlake_lake_captures_total{_OF_SOURCE}[$__rate_interval]))",
                "{{source}}, new: {{new}}",
            ),
            width=8,
            unit="cps",
            stacked=True,
        ),
        lines(
            "Bodies",
            "Bytes of new captures a second.",
            promql(
                f"sum by (source) (rate(coinlake_lake_body_size_bytes_total{_OF_SOURCE}[$__rate_interval]))",
                "{{source}}",
            ),
            width=8,
            unit="Bps",
            stacked=True,
        ),
        lines(
            "Calls made once more",
            "Retries a second.",
            promql(
                f"sum by (source) (rate(coinlake_fetch_retries_total{_OF_SOURCE}[$__rate_interval]))",
                "{{source}}",
            ),
            width=8,
            unit="reqps",
            from_zero=True,
        ),
        lines(
            "Databases",
            "What one operation took: 95 of 100 took no longer.",
            promql(
                quantile("0.95", "db_client_operation_duration_seconds", "db_system_name, db_operation_name"),
                "{{db_system_name}} {{db_operation_name}}",
            ),
            width=8,
            unit="s",
            from_zero=True,
        ),
    )


def _lake_to_topic(made: Dashboard) -> None:
    with_row(
        made,
        "Lake → topic",
        lines(
            "Messages",
            "Messages a second that all in-sync replicas acknowledged.",
            promql(
                "sum by (messaging_destination_name)"
                " (rate(messaging_client_sent_messages_total[$__rate_interval]))",
                "{{messaging_destination_name}}",
            ),
            width=6,
            unit="mps",
            from_zero=True,
        ),
        lines(
            "Acknowledgement",
            "From handing a message over to its acknowledgement.",
            *_half_and_95("messaging_client_operation_duration_seconds"),
            width=6,
            unit="s",
            from_zero=True,
        ),
        lines(
            "In flight",
            "Messages that are sent and not acknowledged.",
            promql("max(coinlake_producer_in_flight_messages)", "in flight"),
            width=6,
            unit="short",
            from_zero=True,
        ),
        lines(
            "Mark",
            "Every capture up to this position was acknowledged.",
            promql("max(coinlake_producer_mark_position)", "position"),
            width=6,
            unit="none",
        ),
        number(
            "Mark moved",
            "How long ago. Old is bad only while captures wait.",
            promql_now("time() - max(coinlake_producer_mark_moved_timestamp_seconds)"),
            width=8,
            unit="s",
        ),
        number(
            "Began again",
            "How often publishing had to begin again, in the shown time.",
            promql_now("sum(increase(coinlake_producer_interruptions_total[$__range])) or vector(0)"),
            width=8,
            unit="none",
            steps=((None, "green"), (1, "orange"), (10, "red")),
        ).decimals(0),
        number(
            "Too large",
            "Captures whose body was left out because the topic takes no such message, in the shown time.",
            promql_now("sum(increase(coinlake_producer_bodies_left_out_total[$__range])) or vector(0)"),
            width=8,
            unit="none",
            steps=ANY_IS_BAD,
        ).decimals(0),
    )


def _topic_to_warehouse(made: Dashboard) -> None:
    with_row(
        made,
        "Topic → warehouse",
        lines(
            "Messages not loaded",
            "Messages of the topic that are not in the warehouse.",
            promql("max by (hop) (coinlake_hop_lag_messages)", "{{hop}}"),
            width=8,
            unit="short",
            from_zero=True,
        ),
        lines(
            "Messages loaded",
            "Messages of committed batches a second.",
            promql(
                "sum by (messaging_destination_name)"
                " (rate(messaging_client_consumed_messages_total[$__rate_interval]))",
                "{{messaging_destination_name}}",
            ),
            width=8,
            unit="mps",
            from_zero=True,
        ),
        number(
            "Headroom",
            "How long until the topic may let go of a message that is not loaded.",
            promql_now("min(coinlake_topic_headroom_duration_seconds)"),
            width=4,
            unit="s",
            steps=((None, "red"), (_HOUR_S, "orange"), (6 * _HOUR_S, "green")),
        ).height(8),
        number(
            "Gone",
            "Messages that the topic let go of before they were loaded, in the shown time.",
            promql_now("sum(increase(coinlake_topic_messages_gone_total[$__range])) or vector(0)"),
            width=4,
            unit="none",
            steps=ANY_IS_BAD,
        )
        .decimals(0)
        .height(8),
        rows(
            "Partitions",
            "How far each was loaded, by the warehouse's own record. Only where captures come by a bus.",
            sql_table("pipeline/partitions"),
            width=24,
        ).height(6),
    )


def _batches(made: Dashboard) -> None:
    with_row(
        made,
        "Batches",
        lines(
            "A batch takes",
            "From its beginning to its commit, or to the error that ended it: 95 of 100 took no longer.",
            promql(
                quantile("0.95", "coinlake_batch_duration_seconds", "engine, error"), "{{engine}} {{error}}"
            ),
            width=6,
            unit="s",
            from_zero=True,
        ),
        lines(
            "Of that, refining",
            "Decoding and the steps, in one process: 95 of 100 took no longer.",
            promql(quantile("0.95", "coinlake_refine_duration_seconds", "engine"), "{{engine}}"),
            width=6,
            unit="s",
            from_zero=True,
        ),
        lines(
            "Captures loaded",
            "Captures of committed batches a second.",
            promql(
                "sum by (engine, kind) (rate(coinlake_load_captures_total[$__rate_interval]))",
                "{{engine}} {{kind}}",
            ),
            width=6,
            unit="cps",
            stacked=True,
        ),
        lines(
            "Rows",
            "Rows that committed batches made or changed a second.",
            promql("sum by (table) (rate(coinlake_load_rows_total[$__rate_interval]))", "{{table}}"),
            width=6,
            unit="wps",
            stacked=True,
        ),
        lines(
            "By the warehouse's own record",
            "At each commit: how long the batch took, and since its oldest capture was received. Load time.",
            sql_series("pipeline/batch_times"),
            width=12,
            unit="s",
            points=True,
            from_zero=True,
        ),
        over_time(
            "Began again",
            "How often loading had to begin again, by what the error asks for.",
            promql(
                "sum by (engine, error) (increase(coinlake_load_interruptions_total[$__rate_interval]))",
                "{{engine}} {{error}}",
            ),
            width=6,
            unit="none",
        ),
        number(
            "Last commit",
            "How long ago a batch was last committed.",
            promql_now(
                "time() - max by (engine) (coinlake_load_last_commit_timestamp_seconds)", "{{engine}}"
            ),
            width=6,
            unit="s",
        ).height(8),
        rows(
            "The newest batches",
            "A trace leads to its spans and logs.",
            sql_table("pipeline/batches"),
            width=24,
            columns={
                "took": Column("s"),
                "since receipt": Column("s", _LAG),
                "dead letters": Column(colours=((None, "text"), (1, "orange"))),
                "trace": Column(link=TO_TRACE),
            },
        ).height(12),
    )
