"""What Kafka, MongoDB and Airflow say of themselves: a row of panels, empty where there is no such server."""

from __future__ import annotations

from coinlake_dashboards.frame import Panels
from coinlake_dashboards.panels import lines, number, over_time
from coinlake_dashboards.queries import increase, promql, promql_now, rate

_OPERATIONS = ("inserts", "queries", "updates", "getmores", "commands")


def what_servers_say() -> Panels:
    """In the order of the flow."""
    return (*_kafka(), *_mongodb(), *_airflow())


def _kafka() -> Panels:
    """Of the bus."""
    return (
        number(
            "Kafka's brokers",
            "Brokers that are there; partitions with a copy that is behind, and without any leader.",
            promql_now("max(kafka_active_brokers)", "there"),
            promql_now("sum(kafka_under_replicated_partitions)", "copies behind"),
            promql_now("max(kafka_offline_partitions)", "without leader"),
            width=8,
            unit="none",
        ).height(8),
        lines(
            "Kafka's topics on disk",
            "Bytes that the brokers hold, loaded or not, with every copy.",
            promql("sum by (topic) (kafka_log_size_bytes)", "{{topic}}"),
            width=8,
            unit="bytes",
            from_zero=True,
        ),
    )


def _mongodb() -> Panels:
    """Of the lake."""
    return (
        lines(
            "MongoDB's connections",
            "Open ones of each member.",
            promql("max by (hostname) (mongodb_connections_current)", "{{hostname}}"),
            width=8,
            unit="short",
            from_zero=True,
        ),
        lines(
            "MongoDB's operations",
            "What MongoDB did a second, for whomever.",
            *(promql(rate(f"mongodb_{one}", "hostname"), f"{one} {{{{hostname}}}}") for one in _OPERATIONS),
            width=8,
            unit="ops",
            stacked=True,
        ),
    )


def _airflow() -> Panels:
    """Of what keeps the cadence."""
    return (
        lines(
            "Airflow's hearts",
            "Beats a second of the scheduler, without which nothing is captured, and of what reads the DAGs.",
            promql(rate("airflow_scheduler_heartbeat_total", "job"), "{{job}}"),
            promql(rate("airflow_dag_processor_heartbeat_total", "job"), "{{job}}"),
            width=8,
            unit="hertz",
            from_zero=True,
        ),
        over_time(
            "Airflow's tasks",
            "Tries that ended. A venue that is away: up_for_retry; a slot that has passed: skipped.",
            promql(increase("airflow_ti_finish_total", "state"), "{{state}}"),
            width=8,
            unit="none",
        ),
    )
