"""Alerts of the embedded profile are those of Prometheus: by name, severity, duration and threshold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from coinlake_cli.alerts import rules
from coinlake_cli.alerts.rules import RULES, Rule
from coinlake_cli.page.wording import span

_UNITS = {"s": "seconds", "m": "minutes"}

THRESHOLDS = {
    "PipelineStalled": (
        f"time() - max(coinlake_warehouse_newest_row_timestamp_seconds) > {rules.STALLED_AFTER.seconds} ",
        f"min(coinlake:feed:spacing_seconds) <= {rules.OFTEN.seconds} ",
    ),
    "FeedStale": (
        f"coinlake:feed:age_seconds > {rules.SLOTS_UNTIL_STALE} * coinlake:feed:spacing_seconds"
        f" + {rules.STALE_GRACE.seconds}",
    ),
    "FeedNeverDelivered": (),
    "IngestionLagging": (f"coinlake:hop:lag_seconds > {rules.LAGGING_AFTER.seconds}",),
    "BitcoinDown": (
        f'coinlake:market:change_24h_ratio{{asset="{rules.FALLING}"}} <= -{rules.FALLEN_BY}',
        f"time() - coinlake_market_as_of_timestamp_seconds < {rules.FRESH_FOR.seconds})",
        "quantile by (asset) (0.5,",
    ),
}
"""What must stand in the expression, or in those that it is made of."""


def shipped() -> Mapping[str, Any]:
    """Every rule of Prometheus, by its name."""
    files = sorted(Path("ops/prometheus/rules").glob("*.yaml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {one.get("alert") or one["record"]: one for group in groups for one in group["rules"]}


def said(name: str, of: Mapping[str, Any]) -> str:
    """An expression and those that it is made of, each space a single one."""
    expression = of[name]["expr"]
    parts = [of[part]["expr"] for part in re.findall(r"coinlake:[a-z0-9_:]+", expression) if part in of]
    return " ".join(f"{expression} {' '.join(parts)} ".split()) + " "


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_that_of_prometheus(rule: Rule) -> None:
    of = shipped()
    match = re.fullmatch(r"(\d+)([sm])", of[rule.name]["for"])
    assert match
    assert rule.holds_for == timedelta(**{_UNITS[match[2]]: int(match[1])})
    assert rule.severity == of[rule.name]["labels"]["severity"]
    for threshold in THRESHOLDS[rule.name]:
        assert threshold in said(rule.name, of)


def test_the_page_names_each_rule_and_how_long_it_must_hold() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \| \[runbook\]", Path("docs/alerts.md").read_text(), re.M)
    assert rows == [(rule.name, span(rule.holds_for)) for rule in RULES]
