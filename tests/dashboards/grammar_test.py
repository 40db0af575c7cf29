"""What dashboards ask is PromQL, LogQL and TraceQL by grammar, and they are dashboards by Grafana's types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dashboards import node
from dashboards.expressions import Shown, dashboards, expanded, expressions

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)
SHOWN = Shown(
    NOON - timedelta(hours=6),
    NOON,
    {
        "source": ("coingecko", "binance"),
        "service": ".+",
        "level": ("error", "warning"),
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "capture": "96fe8410-e2fb-8793-b865-4cd07b4c68b8",
    },
)


def test_every_question_is_one_by_its_grammar(packages: Path) -> None:
    asked = [
        (one, expanded(one, SHOWN))
        for one in expressions("promql", "logql", "traceql")
        # A function of Grafana's own, not of the language; and a trace by its id is no TraceQL.
        if not one.text.startswith("label_values(") and one.text != "${trace}"
    ]
    assert {one.language for one, _ in asked} == {"promql", "logql", "traceql"}
    found = node.parsed(packages, [(one.language, text) for one, text in asked])
    wrong = [
        f"{one}: {text!r} at {read.errors}"
        for (one, text), read in zip(asked, found, strict=True)
        if read.errors
    ]
    assert not wrong


def test_the_grammars_find_what_is_wrong(packages: Path) -> None:
    wrong = [
        ("promql", "sum by (source (rate(a_total[5m]))"),
        ("logql", '{service_name=~".+" |= "x"'),
        ("traceql", "{ span.foo = "),
    ]
    assert all(read.errors for read in node.parsed(packages, wrong))


def test_each_dashboard_is_one_by_the_types_of_grafanas_schema(packages: Path, tmp_path: Path) -> None:
    made = [_without_what_data_sources_add(one) for one in dashboards()]
    wrong = {**made[0], "schemaVersion": "41"}
    (complaint,) = type_checked(packages, tmp_path, [*made, wrong])
    assert "Type 'string' is not assignable to type 'number'" in complaint


def _without_what_data_sources_add(made: dict[str, Any]) -> dict[str, Any]:
    """The schema knows of an annotation only what all data sources have, and not Prometheus' expression."""
    listed = [
        {name: value for name, value in one.items() if name != "expr"} for one in made["annotations"]["list"]
    ]
    return {**made, "annotations": {**made["annotations"], "list": listed}}


def type_checked(packages: Path, folder: Path, made: Sequence[dict[str, Any]]) -> list[str]:
    """What TypeScript finds wrong with dashboards."""
    (folder / "node_modules").symlink_to(packages / "node_modules")
    lines = ["import { ThresholdsMode, type Dashboard } from '@grafana/schema';"]
    for number, one in enumerate(made):
        # TypeScript takes an enumeration's text only by its name.
        text = json.dumps(one).replace('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
        lines.append(f"export const d{number}: Dashboard = {text};")
    (folder / "check.ts").write_text("\n".join(lines), encoding="utf-8")
    options = {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "moduleResolution": "bundler",
        "module": "esnext",
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "types": [],
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["check.ts"]}))
    return node.type_errors(packages, folder)
