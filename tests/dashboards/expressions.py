"""Every question that a dashboard asks, as it stands in the JSON that Grafana reads.

Grafana itself cannot be had here. What it would do to a question before it sends it (put in variables and the
shown time) is done by `expanded`, in the same way for the same words; any other word fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

FOLDER = Path("ops/grafana/dashboards")
"""From the build root, where all that Pants runs starts."""

Language = Literal["promql", "logql", "traceql", "sql"]

_LANGUAGES: Mapping[str, Language] = {
    "prometheus": "promql",
    "loki": "logql",
    "tempo": "traceql",
    "grafana-postgresql-datasource": "sql",
}
_TEXTS = {"promql": "expr", "logql": "expr", "traceql": "query", "sql": "rawSql"}


@dataclass(frozen=True)
class Expression:
    """One question of a panel, a variable or an annotation."""

    dashboard: str
    """The uid."""
    title: str
    """Of its panel; of a variable or an annotation its name."""
    part: Literal["panel", "variable", "annotation"]
    kind: str
    """Of the panel: stat, timeseries, …"""
    uid: str
    """Of the data source."""
    language: Language
    text: str
    is_instant: bool = False
    """Of PromQL: asked for the end of the shown time only."""
    form: str = ""
    """Of SQL: time_series or table."""

    def __str__(self) -> str:
        return f"{self.dashboard.removeprefix('coinlake-')}: {self.title}"


def dashboards() -> list[dict[str, Any]]:
    """The dashboards, as Grafana reads them."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))]


def expressions(*languages: Language) -> list[Expression]:
    """Every question in one of the languages, or in any."""
    return [
        one
        for made in dashboards()
        for one in (*_of_panels(made), *_of_variables(made), *_of_annotations(made))
        if not languages or one.language in languages
    ]


def _of_panels(made: Mapping[str, Any]) -> Iterator[Expression]:
    for panel in made["panels"]:
        for target in panel.get("targets", ()):
            language = _LANGUAGES[target["datasource"]["type"]]
            yield Expression(
                made["uid"],
                panel["title"],
                "panel",
                panel["type"],
                target["datasource"]["uid"],
                language,
                target[_TEXTS[language]],
                is_instant=target.get("instant", False),
                form=target.get("format", ""),
            )


def _of_variables(made: Mapping[str, Any]) -> Iterator[Expression]:
    for variable in made["templating"].get("list", ()):
        if variable["type"] == "query":
            source = variable["datasource"]
            yield Expression(
                made["uid"],
                variable["name"],
                "variable",
                "",
                source["uid"],
                _LANGUAGES[source["type"]],
                variable["query"],
                form="table",
            )


def _of_annotations(made: Mapping[str, Any]) -> Iterator[Expression]:
    for annotation in made["annotations"].get("list", ()):
        source = annotation["datasource"]
        yield Expression(
            made["uid"],
            annotation["name"],
            "annotation",
            "",
            source["uid"],
            _LANGUAGES[source["type"]],
            annotation["expr"],
        )


@dataclass(frozen=True)
class Shown:
    """What somebody has chosen to look at: a stretch of time, and a value for each variable."""

    since: datetime
    until: datetime
    chosen: Mapping[str, str | tuple[str, ...]]
    """By the variable's name; a tuple where several values are chosen, or all by their number."""
    pixels: int = 1000

    @property
    def interval(self) -> timedelta:
        """What one point of a graph stands for, not less than a second."""
        return max((self.until - self.since) / self.pixels, timedelta(seconds=1))


def expanded(expression: Expression, shown: Shown) -> str:
    """The question as it is sent. Raises `ValueError` where it has a word that is not known."""
    text = _with_choices(expression, shown)
    if expression.language == "sql":
        return _with_macros(text, shown)
    window_s = max(int(shown.interval.total_seconds()), 60)
    for word, value in {
        "$__rate_interval": f"{window_s}s",
        "$__range": f"{int((shown.until - shown.since).total_seconds())}s",
        "$__auto": f"{window_s}s",
    }.items():
        text = text.replace(word, value)
    if left := re.search(r"\$[\w{]+", text):
        raise ValueError(f"{expression} asks for {left[0]}, which nothing gives")
    return text


def _with_choices(expression: Expression, shown: Shown) -> str:
    """With `$name` and `${name:form}` replaced by what is chosen; words of Grafana's own stay."""

    def chosen(found: re.Match[str]) -> str:
        name, form = found["plain"] or found["braced"], found["form"] or ""
        if name.startswith("__"):
            return found[0]
        if name not in shown.chosen:
            raise ValueError(f"{expression} asks for the variable {name}, which nobody chose")
        return _written(shown.chosen[name], form or expression.language)

    return re.sub(
        r"\$(?:(?P<plain>[a-z_]\w*)|\{(?P<braced>\w+)(?::(?P<form>\w+))?\})", chosen, expression.text
    )


def _written(value: str | tuple[str, ...], form: str) -> str:
    several = value if isinstance(value, tuple) else (value,)
    match form:
        case "sqlstring":
            return ",".join("'" + each.replace("'", "''") + "'" for each in several)
        case "raw" if len(several) == 1:
            return several[0]
        case "promql" | "logql" if isinstance(value, tuple):
            return "(" + "|".join(re.escape(each).replace("\\", "\\\\") for each in several) + ")"
        case "promql" | "logql" | "traceql":
            return several[0]
        case _:
            raise ValueError(f"no variable is written as {form}")


_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")


def _with_macros(text: str, shown: Shown) -> str:
    """With the macros of Grafana's PostgreSQL source replaced, of which we use these and no others."""
    interval_ms = shown.interval // timedelta(milliseconds=1)
    text = text.replace("$__interval_ms", str(interval_ms)).replace("$__interval", f"{interval_ms}ms")
    text = _MACRO.sub(
        lambda found: _macro(found[1], [each.strip() for each in found[2].split(",")], shown), text
    )
    if left := re.search(r"\$__\w+|\$\{", text):
        raise ValueError(f"{left[0]} is none of the macros")
    return text


def _macro(name: str, given: list[str], shown: Shown) -> str:
    since, until = (f"'{moment:%Y-%m-%dT%H:%M:%S.%fZ}'" for moment in (shown.since, shown.until))
    match name, given:
        case "__timeFrom", [""]:
            return since
        case "__timeTo", [""]:
            return until
        case "__timeFilter", [column] if column:
            return f"{column} BETWEEN {since} AND {until}"
        case "__timeGroup", [column, width] | [column, width, "NULL"]:
            # NULL: Grafana itself adds a row without a value for each bucket that has none.
            seconds = _seconds(width.strip("'"))
            return f"floor(extract(epoch from {column})/{seconds:g})*{seconds:g}"
        case _:
            raise ValueError(f"${name}({', '.join(given)}) is none of the macros")


def _seconds(width: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", width)
    if not found:
        raise ValueError(f"{width} is no width of a bucket")
    return int(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
