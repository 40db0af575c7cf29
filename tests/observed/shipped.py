"""What `ops` ships for Prometheus: its rules, what they ask for, and where that comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from coinlake.telemetry import metrics
from coinlake.telemetry.declaring import Histogram, Metric

OPS = Path("ops").absolute()
"""From the build root, where all that Pants runs starts."""
RULES = OPS / "prometheus/rules"
TESTS = OPS / "prometheus/tests"

EXPORTERS = {
    "up": "Prometheus itself",
    "probe_success": "blackbox_exporter",
    "pg_up": "postgres_exporter",
    "node_filesystem_avail_bytes": "node_exporter",
    "node_filesystem_size_bytes": "node_exporter",
    "airflow_scheduler_heartbeat_total": "Airflow",
    "airflow_dag_processor_heartbeat_total": "Airflow",
    "otelcol_exporter_send_failed_spans": "the collector",
    "otelcol_exporter_send_failed_log_records": "the collector",
    "otelcol_exporter_enqueue_failed_spans": "the collector",
    "otelcol_exporter_enqueue_failed_log_records": "the collector",
}
"""Metrics of others that rules may name, and who has them."""

_WORDS = r"\b(?:and|or|unless|on|ignoring|by|without|group_left|group_right|bool|offset)\b"


@dataclass(frozen=True)
class Rule:
    """A rule that records, or one that alerts."""

    group: str
    name: str
    expression: str
    is_alert: bool
    severity: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


@cache
def rules() -> Sequence[Rule]:
    """Every rule that is shipped, file by file."""
    return [rule for file in sorted(RULES.glob("*.yaml")) for rule in _of(file)]


def alerts() -> Sequence[Rule]:
    """Every alert that is shipped."""
    return [rule for rule in rules() if rule.is_alert]


def _of(file: Path) -> Iterator[Rule]:
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield Rule(
                group["name"],
                rule.get("alert") or rule["record"],
                str(rule["expr"]),
                "alert" in rule,
                rule.get("labels", {}).get("severity", ""),
                rule.get("annotations", {}),
            )


def asked(expression: str) -> set[str]:
    """The names of the metrics that an expression of PromQL asks for."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(_WORDS, " ", bare)
    names = re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)
    return {name for name in names if not re.fullmatch(r"[\de]+[smhdwy]?|inf|nan", name, re.IGNORECASE)}


@cache
def known() -> set[str]:
    """The names of all series there can be: declared, recorded, asked of the warehouse, or of others."""
    declared = {name for metric in metrics.ALL for name in _series(metric)}
    recorded = {rule.name for rule in rules() if not rule.is_alert}
    return declared | recorded | set(of_the_warehouse()) | set(EXPORTERS)


def of_the_warehouse() -> Sequence[str]:
    """The series that postgres_exporter makes of its queries."""
    text = (OPS / "postgres_exporter/queries.yaml").read_text(encoding="utf-8")
    queries: Mapping[str, Any] = yaml.safe_load(text)
    return [
        f"{query}_{column}"
        for query, told in queries.items()
        for each in told["metrics"]
        for column, what in each.items()
        if what["usage"] != "LABEL"
    ]


def _series(metric: Metric) -> list[str]:
    name = metric.prometheus_name
    return (
        [f"{name}{end}" for end in ("_bucket", "_sum", "_count")] if isinstance(metric, Histogram) else [name]
    )
