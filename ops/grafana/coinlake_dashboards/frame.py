"""What every dashboard has: its name, the way to the others, the marks of incidents, its choices."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from coinlake_dashboards.queries import METRICS, WAREHOUSE, statement

TAG = "coinlake"
Panels = tuple[Builder[Panel], ...]
ALERTS = 'ALERTS{alertstate="firing", severity!="none"}'
"""What fires; the heartbeat, of severity none, always does."""

TO_TRACE = (
    "Its trace and logs",
    "/d/coinlake-drilldown?var-trace=${__data.fields.trace}&${__url_time_range}",
)
TO_CAPTURE = (
    "Its trace and logs",
    "/d/coinlake-drilldown?var-capture=${__data.fields.capture}&${__url_time_range}",
)
"""From a row with such a column to where traces and logs are."""


def framed(uid: str, title: str, says: str, *, since: str = "now-6h", refresh: str = "30s") -> Dashboard:
    """An empty dashboard, in UTC as all times of Coinlake are."""
    made = Dashboard(f"Coinlake / {title}").uid(uid).description(says).tags([TAG]).readonly()
    made.time(since, "now").refresh(refresh).timezone("utc").tooltip(DashboardCursorSync.CROSSHAIR)
    made.link(
        DashboardLink("Coinlake")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
    )
    return made.annotation(
        AnnotationQuery().name("Incidents").datasource(METRICS).enable(True).icon_color("red").expr(ALERTS)
    )


def with_row(made: Dashboard, title: str, *panels: Builder[Panel]) -> None:
    """Adds a row of panels, whose widths sum up to one or several screens."""
    made.with_row(Row(title))
    for panel in panels:
        made.with_panel(panel)


def source_of_metrics() -> QueryVariable:
    """The sources that tell of their feeds; several, or all."""
    return (
        QueryVariable("source")
        .label("Source")
        .datasource(METRICS)
        .query("label_values(coinlake_feed_spacing_seconds, source)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all"))
    )


def from_warehouse(name: str, label: str, statement_name: str) -> QueryVariable:
    """A choice of one of what `sql/STATEMENT.sql` lists."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(WAREHOUSE)
        .query(statement(statement_name))
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def width_of_candles(widths: Sequence[str], chosen: str) -> Builder[VariableModel]:
    """The choice of a candle's width."""
    options = [VariableOption(text=width, value=width, selected=width == chosen) for width in widths]
    return (
        dashboard.CustomVariable("interval")
        .label("Candle")
        .values(",".join(widths))
        .options(options)
        .current(VariableOption(text=chosen, value=chosen, selected=True))
    )
