"""Dashboards name series and labels that there are, and every metric is shown or what a rule is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from coinlake.telemetry import metrics
from dashboards import node
from dashboards.expressions import Expression, Shown, dashboards, expanded, expressions

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)
SHOWN = Shown(NOON - timedelta(hours=6), NOON, {"source": ".*", "service": ".+", "level": ".*"})

RULES = Path("ops/prometheus/rules")

OTHERS: Mapping[str, set[str]] = {
    "ALERTS": {"alertname", "alertstate", "severity"},
    "traces_span_metrics_calls_total": {"service_name", "span_name"},
    "traces_span_metrics_duration_seconds_bucket": {"service_name", "span_name"},
    "node_filesystem_avail_bytes": {"fstype", "mountpoint"},
    "node_filesystem_size_bytes": {"fstype", "mountpoint"},
    "otelcol_exporter_queue_size": {"exporter"},
    "kafka_active_brokers": set(),
    "kafka_offline_partitions": set(),
    "kafka_under_replicated_partitions": set(),
    "kafka_log_size_bytes": {"topic", "partition"},
    "mongodb_connections_current": {"hostname"},
    "mongodb_commands": {"hostname"},
    "mongodb_getmores": {"hostname"},
    "mongodb_inserts": {"hostname"},
    "mongodb_queries": {"hostname"},
    "mongodb_updates": {"hostname"},
    "airflow_scheduler_heartbeat_total": set(),
    "airflow_dag_processor_heartbeat_total": set(),
    "airflow_ti_finish_total": {"dag_id", "task_id", "state"},
}
"""Series that are none of our programs', with labels that are used: Prometheus' own, those that the collector
makes of spans, the node exporter's, the collector's about itself, what Kafka and MongoDB tell (which
tests/observed holds against them), and Airflow's (tests/scheduling)."""


NOT_SHOWN = {"coinlake_verify_duration_seconds"}
"""Metrics that are neither: this one stands in a table that is asked of the warehouse."""


def recorded() -> dict[str, set[str]]:
    """The series that Prometheus' rules make; their labels are those of what they are made of."""
    labels = {label.prometheus_name for metric in metrics.ALL for label in metric.labels} | {"service"}
    names = [
        rule["record"]
        for file in RULES.glob("*.yaml")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    ]
    return dict.fromkeys(names, labels)


def of_programs() -> dict[str, set[str]]:
    """The labels of every series that our programs make, by its name."""
    found: dict[str, set[str]] = {}
    for metric in metrics.ALL:
        labels = {label.prometheus_name for label in metric.labels}
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        found |= {metric.prometheus_name + end: labels for end in ends}
    return found


@pytest.fixture(scope="module")
def named(packages: Path) -> list[tuple[Expression, node.Read]]:
    """Every question in PromQL, with the series and labels that it names."""
    asked = expressions("promql")
    texts = [
        re.sub(r"^label_values\((\w+), *(\w+)\)$", r"sum by (\2) (\1)", expanded(one, SHOWN)) for one in asked
    ]
    return list(zip(asked, node.parsed(packages, [("promql", text) for text in texts]), strict=True))


def test_every_series_is_declared(named: list[tuple[Expression, node.Read]]) -> None:
    known = of_programs().keys() | OTHERS.keys() | recorded().keys()
    assert named
    for asked, read in named:
        assert read.series, asked
        assert set(read.series) <= known, f"{asked} names {set(read.series) - known}"


def test_every_label_is_one_of_its_series(named: list[tuple[Expression, node.Read]]) -> None:
    labels = {**of_programs(), **OTHERS, **recorded()}
    for asked, read in named:
        known = {"job", "instance", "le"}.union(*(labels[series] for series in read.series))
        assert set(read.labels) <= known, f"{asked} names {set(read.labels) - known}"


def test_every_name_in_a_legend_is_a_label_of_the_answer(named: list[tuple[Expression, node.Read]]) -> None:
    legends = {
        (made["uid"], target["expr"]): target["legendFormat"]
        for made in dashboards()
        for panel in made["panels"]
        for target in panel.get("targets", ())
        if target.get("legendFormat")
    }
    labels = {**of_programs(), **OTHERS, **recorded()}
    for asked, read in named:
        is_grouped = re.search(r"\bby\b", asked.text)
        known = set(read.labels) if is_grouped else set().union(*(labels[series] for series in read.series))
        shown = set(re.findall(r"\{\{(\w+)\}\}", legends.get((asked.dashboard, asked.text), "")))
        assert shown <= known, f"{asked} shows {shown - known}"


def test_every_metric_is_shown_or_what_a_rule_is_made_of(named: list[tuple[Expression, node.Read]]) -> None:
    shown = {series for _, read in named for series in read.series}
    rules = "".join(file.read_text(encoding="utf-8") for file in sorted(RULES.glob("*.yaml")))
    for metric in metrics.ALL:
        name = rf"{metric.prometheus_name}(_bucket|_sum|_count)?"
        is_seen = any(re.fullmatch(name, series) for series in shown) or re.search(rf"\b{name}\b", rules)
        assert bool(is_seen) != (metric.prometheus_name in NOT_SHOWN), metric.prometheus_name
