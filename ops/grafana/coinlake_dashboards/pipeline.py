"""Pipeline: each hop from the venue to the row, in the order of the flow."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from coinlake_dashboards.frame import TO_TRACE, Panels, framed, source_of_metrics, with_row
from coinlake_dashboards.panels import ANY_IS_BAD, Column, Steps, lines, number, over_time, rows
from coinlake_dashboards.queries import (
    OF_SOURCE,
    half_and_95,
    in_shown_time,
    increase,
    promql,
    promql_now,
    quantile,
    rate,
    sql_series,
    sql_table,
)
from coinlake_dashboards.servers import what_servers_say

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
    with_row(made, "What the servers say", *what_servers_say())
    return made


def _lag(made: Dashboard) -> None:
    with_row(
        made,
        "How far behind",
        lines(
            "Waiting time",
            "At each hop: how long ago the first capture that has not passed it was received.",
            promql("coinlake:hop:lag_seconds", "{{hop}}"),
            width=8,
            unit="s",
            steps=_LAG,
            from_zero=True,
        ),
        lines(
            "Waiting captures",
            "At each hop: captures on its near side and not on its far one.",
            promql("coinlake:hop:lag_captures", "{{hop}}"),
            width=8,
            unit="short",
            from_zero=True,
        ),
        lines(
            "End to end",
            "From receiving a capture to the commit of its rows.",
            *half_and_95("coinlake_load_capture_delay_seconds", OF_SOURCE),
            width=8,
            unit="s",
            from_zero=True,
        ),
    )


def _venue_to_lake(made: Dashboard) -> None:
    with_row(made, "Venue → lake", *_calls(), *_stored())


def _calls() -> Panels:
    """What was asked, and what came."""
    return (
        lines(
            "Calls",
            "Calls to venues a second, by status; none where no answer came.",
            promql(
                rate(
                    "http_client_request_duration_seconds_count",
                    "source, http_response_status_code, error_type",
                    OF_SOURCE,
                ),
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
                quantile("0.95", "http_client_request_duration_seconds", "source", OF_SOURCE), "{{source}}"
            ),
            width=8,
            unit="s",
            from_zero=True,
        ),
        lines(
            "Captures",
            "Answers that became durable a second; not new are those that the lake had already.",
            promql(
                rate("coinlake_lake_captures_total", "source, new", OF_SOURCE),
                "{{source}}, new: {{new}}",
            ),
            width=8,
            unit="cps",
            stacked=True,
        ),
    )


def _stored() -> Panels:
    """What was kept, and what that took."""
    return (
        lines(
            "Bodies",
            "Bytes of new captures a second.",
            promql(
                rate("coinlake_lake_body_size_bytes_total", "source", OF_SOURCE),
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
                rate("coinlake_fetch_retries_total", "source", OF_SOURCE),
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
    with_row(made, "Lake → topic", *_publishing(), *_mark())


def _publishing() -> Panels:
    """What the producer sends."""
    return (
        lines(
            "Messages",
            "Messages a second that all in-sync replicas acknowledged.",
            promql(
                rate("messaging_client_sent_messages_total", "messaging_destination_name"),
                "{{messaging_destination_name}}",
            ),
            width=6,
            unit="mps",
            from_zero=True,
        ),
        lines(
            "Acknowledgement",
            "From handing a message over to its acknowledgement.",
            *half_and_95("messaging_client_operation_duration_seconds"),
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
    )


def _mark() -> Panels:
    """How far it is, and what stops it."""
    return (
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
            promql_now(in_shown_time("coinlake_producer_interruptions_total")),
            width=8,
            unit="none",
            steps=((None, "green"), (1, "orange"), (10, "red")),
        ).decimals(0),
        number(
            "Too large",
            "Captures whose body was left out because the topic takes no such message, in the shown time.",
            promql_now(in_shown_time("coinlake_producer_bodies_left_out_total")),
            width=8,
            unit="none",
            steps=ANY_IS_BAD,
        ).decimals(0),
    )


def _topic_to_warehouse(made: Dashboard) -> None:
    with_row(made, "Topic → warehouse", *_messages(), *_retention())


def _messages() -> Panels:
    """What of the topic is loaded."""
    return (
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
                rate("messaging_client_consumed_messages_total", "messaging_destination_name"),
                "{{messaging_destination_name}}",
            ),
            width=8,
            unit="mps",
            from_zero=True,
        ),
    )


def _retention() -> Panels:
    """What the topic may let go of, and how far each partition is."""
    return (
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
            promql_now(in_shown_time("coinlake_topic_messages_gone_total")),
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
    with_row(made, "Batches", *_batch_metrics(), *_commits())


def _batch_metrics() -> Panels:
    """What batches take and bring."""
    return (
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
                rate("coinlake_load_captures_total", "engine, kind"),
                "{{engine}} {{kind}}",
            ),
            width=6,
            unit="cps",
            stacked=True,
        ),
        lines(
            "Rows",
            "Rows that committed batches made or changed a second.",
            promql(rate("coinlake_load_rows_total", "table"), "{{table}}"),
            width=6,
            unit="wps",
            stacked=True,
        ),
    )


def _commits() -> Panels:
    """What the warehouse itself says of them."""
    return (
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
                increase("coinlake_load_interruptions_total", "engine, error"),
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
