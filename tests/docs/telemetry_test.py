"""Every metric that is declared is in the docs as it is declared, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from coinlake.telemetry import metrics
from coinlake.telemetry.declaring import Metric

PAGE = Path("docs/telemetry.md")
"""Tests run at the root of the repository."""


def row(metric: Metric) -> str:
    """A metric's line of the table."""
    labels = "; ".join(
        f"`{label.prometheus_name}`" + (f": {', '.join(label.values)}" if label.values else "")
        for label in metric.labels
    )
    return f"| `{metric.prometheus_name}` | {metric.kind} | {labels or '–'} | {metric.help} |"


def test_the_table_of_metrics_is_what_is_declared_in_its_order() -> None:
    table = PAGE.read_text(encoding="utf-8").split("\n## Metrics\n")[1]
    assert re.findall(r"^\| `.*$", table, re.MULTILINE) == [row(metric) for metric in metrics.ALL]


def test_metrics_that_the_docs_name_elsewhere_are_declared() -> None:
    known = {metric.prometheus_name for metric in metrics.ALL}
    for page in sorted(PAGE.parent.glob("*.md")):
        named = re.findall(r"`(coinlake_[a-z_]+_(?:total|seconds|bytes))`", page.read_text(encoding="utf-8"))
        assert set(named) <= known, page
