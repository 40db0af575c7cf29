"""The kinds of panels, in one manner: a title, a sentence on what is shown, a unit, colours by meaning.

A width is in 24ths of the screen. Lines are never drawn over what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    candlestick,
    common,
    dashboard,
    logs,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import Panel
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

from coinlake_dashboards.queries import Query

Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour; the first has no value."""

PLAIN: Steps = ((None, "text"),)
FAR_FROM_MEDIAN: Steps = ((None, "red"), (-100, "text"), (100, "red"))
"""In hundredths of a percent: one percent either way."""
ANY_IS_BAD: Steps = ((None, "green"), (1, "red"))

_STAT_HEIGHT, _GRAPH_HEIGHT, _TABLE_HEIGHT = 4, 8, 9

P = TypeVar(
    "P",
    bargauge.Panel,
    candlestick.Panel,
    logs.Panel,
    stat.Panel,
    statetimeline.Panel,
    table.Panel,
    timeseries.Panel,
    Panel,
)


def number(
    title: str,
    says: str,
    *queries: Query,
    width: int,
    unit: str,
    steps: Steps = PLAIN,
    fields: str = "",
    none: str = "–",
) -> stat.Panel:
    """One large number for each series; `fields` is a regular expression of columns that are no numbers."""
    shown = stat.Panel().unit(unit).thresholds(_colours(steps)).no_value(none)
    shown.color_mode(BigValueColorMode.VALUE if steps == PLAIN else BigValueColorMode.BACKGROUND)
    shown.graph_mode(BigValueGraphMode.NONE)
    shown.reduce_options(common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields(fields))
    return furnished(shown, title, says, queries, width, _STAT_HEIGHT)


def bars(
    title: str,
    says: str,
    *queries: Query,
    width: int,
    unit: str,
    steps: Steps = PLAIN,
    each_row: bool = False,
) -> bargauge.Panel:
    """A bar for each series, or for each row of a table."""
    shown = bargauge.Panel().unit(unit).thresholds(_colours(steps)).min(0).no_value("–")
    shown.orientation(VizOrientation.HORIZONTAL)
    shown.reduce_options(common.ReduceDataOptions().values(each_row).calcs(["lastNotNull"]).fields(""))
    return furnished(shown, title, says, queries, width, _GRAPH_HEIGHT)


def lines(
    title: str,
    says: str,
    *queries: Query,
    width: int,
    unit: str,
    steps: Steps | None = None,
    stacked: bool = False,
    points: bool = False,
    from_zero: bool = False,
) -> timeseries.Panel:
    """Values over time. `points` joins nothing, for what comes when it comes."""
    shown = timeseries.Panel().unit(unit).span_nulls(False).fill_opacity(40 if stacked else 8).line_width(1)
    shown.draw_style(GraphDrawStyle.POINTS if points else GraphDrawStyle.LINE)
    shown.show_points(VisibilityMode.ALWAYS if points else VisibilityMode.AUTO).point_size(4)
    shown.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    shown.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
    if stacked:
        shown.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if from_zero or stacked:
        shown.axis_soft_min(0)
    if steps is not None:
        shown.thresholds(_colours(steps))
        shown.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return furnished(shown, title, says, queries, width, _GRAPH_HEIGHT)


def over_time(title: str, says: str, *queries: Query, width: int, unit: str) -> timeseries.Panel:
    """Counts over time, as bars: what has no bar did not happen."""
    shown = lines(title, says, *queries, width=width, unit=unit, stacked=True)
    return shown.draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(0)


def candles(title: str, says: str, query: Query, *, width: int) -> candlestick.Panel:
    """Candles of the columns open, high, low, close and volume."""
    fields = candlestick.CandlestickFieldMap().open("open").high("high").low("low").close("close")
    shown = (
        candlestick.Panel()
        .unit("none")
        .fields(fields.volume("volume"))
        .include_all_fields(False)
        .line_width(1)
    )
    return furnished(shown, title, says, [query], width, _GRAPH_HEIGHT + 4)


@dataclass(frozen=True)
class Column:
    """How a column of a table is shown."""

    unit: str | None = None
    colours: Steps | None = None
    link: tuple[str, str] | None = None
    """What it says, and where it leads."""

    def properties(self) -> list[DynamicConfigValue]:
        """In Grafana's words."""
        found = []
        if self.unit is not None:
            found.append(DynamicConfigValue("unit", self.unit))
        if self.colours is not None:
            found.append(DynamicConfigValue("thresholds", _colours(self.colours).build()))
            found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        if self.link is not None:
            says, url = self.link
            found.append(DynamicConfigValue("links", [{"title": says, "url": url, "targetBlank": False}]))
        return found


def rows(
    title: str, says: str, *queries: Query, width: int, columns: Mapping[str, Column] | None = None
) -> table.Panel:
    """A table, with how some of its columns are shown."""
    shown = table.Panel().no_value("–").filterable(True)
    for name, column in (columns or {}).items():
        shown.override_by_name(name, column.properties())
    return furnished(shown, title, says, queries, width, _TABLE_HEIGHT)


def series_as_rows(
    title: str,
    says: str,
    *queries: Query,
    width: int,
    named: Mapping[str, str],
    columns: Mapping[str, Column] | None = None,
) -> table.Panel:
    """A table of PromQL's answers, joined by their labels; `named` renames their columns."""
    shown = rows(title, says, *queries, width=width, columns=columns)
    shown.with_transformation(DataTransformerConfig("merge", options={}))
    left_out = dict.fromkeys(("Time", "__name__", "instance", "job"), True)
    return shown.with_transformation(
        DataTransformerConfig(
            "organize", options={"excludeByName": left_out, "indexByName": {}, "renameByName": dict(named)}
        )
    )


def log_lines(title: str, says: str, query: Query, *, width: int) -> logs.Panel:
    """Lines of logs, the newest first."""
    shown = logs.Panel().show_time(True).wrap_log_message(True).enable_log_details(True)
    shown.sort_order(LogsSortOrder.DESCENDING)
    return furnished(shown, title, says, [query], width, _TABLE_HEIGHT + 3)


def furnished(panel: P, title: str, says: str, queries: Sequence[Query], width: int, height: int) -> P:
    """The panel with what each has."""
    panel.title(title).description(says).span(width).height(height).datasource(queries[0].of)
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel.with_target(query.ask(letter))
    return panel


def _colours(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )
