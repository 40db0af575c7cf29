"""Logs and traces: from a row to its capture, its batch, its spans and what the programs said about it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    Dashboard,
    QueryVariable,
    TextBoxVariable,
)
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from coinlake_dashboards.frame import TO_TRACE, Panels, framed, with_row
from coinlake_dashboards.panels import Column, furnished, lines, log_lines, over_time, rows
from coinlake_dashboards.queries import LOGS, logql, promql, quantile, rate, sql_table, traceql

_OURS = 'resource.service.namespace = "coinlake"'
_LINES = '{service_name=~"$service"} |= "${trace}" |= "${capture}" | json | level=~"$level"'
_ALL = VariableOption(text="All", value="$__all")


def drilldown() -> Dashboard:
    """What rows lead to: `trace` and `capture` come by the link."""
    says = "Traces and logs; of one trace or one capture where it is named above."
    made = framed("coinlake-drilldown", "Logs and traces", says, since="now-1h")
    made.with_variable(TextBoxVariable("trace").label("Trace").default_value(""))
    made.with_variable(TextBoxVariable("capture").label("Capture").default_value(""))
    made.with_variable(
        QueryVariable("service")
        .label("Program")
        .datasource(LOGS)
        .query("label_values(service_name)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(_ALL)
    )
    made.with_variable(
        CustomVariable("level")
        .label("Level")
        .values("error,warning,info,debug")
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )
    _in_the_warehouse(made)
    _traces(made)
    _logs(made)
    return made


def _in_the_warehouse(made: Dashboard) -> None:
    with_row(
        made,
        "In the warehouse",
        rows(
            "The capture",
            "Which batch loaded it first. Empty where no capture is named above, or it is not loaded.",
            sql_table("drilldown/capture"),
            width=24,
            columns={"since receipt": Column("s"), "trace": Column(link=TO_TRACE)},
        ).height(5),
        rows(
            "The batch of the trace",
            "Empty where no trace is named above, or it is not a batch's, or not of the shown time.",
            sql_table("drilldown/batch"),
            width=12,
        ).height(6),
        rows(
            "What of the capture was refused",
            "Each part that was refused, with every reason.",
            sql_table("drilldown/letters"),
            width=12,
        ).height(6),
    )


def _traces(made: Dashboard) -> None:
    with_row(made, "Traces", *_found_traces(), *_spans())


def _found_traces() -> Panels:
    """The trace that is named, and those worth a look."""
    return (
        furnished(
            dashboard.Panel().type("traces"),
            "The trace",
            "All spans of the trace that is named above.",
            [traceql("${trace}")],
            24,
            12,
        ),
        rows(
            "Of the capture",
            "The trace of the capture that is named above: from the call to its rows.",
            traceql('{ span.coinlake.capture_id = "${capture}" }'),
            width=8,
        ),
        rows(
            "With errors",
            "The newest traces in which a span failed.",
            traceql(f"{{ {_OURS} && status = error }}"),
            width=8,
        ),
        rows(
            "Slow",
            "The newest traces in which a span took more than five seconds.",
            traceql(f"{{ {_OURS} && duration > 5s }}"),
            width=8,
        ),
    )


def _spans() -> Panels:
    """What the spans of all traces say together."""
    return (
        lines(
            "Spans",
            "Spans that ended a second, by program and name; made of the traces themselves.",
            promql(
                rate("traces_span_metrics_calls_total", "service_name, span_name"),
                "{{service_name}} {{span_name}}",
            ),
            width=12,
            unit="cps",
            from_zero=True,
        ),
        lines(
            "Time of a span",
            "By name: 95 of 100 took no longer.",
            promql(
                quantile("0.95", "traces_span_metrics_duration_seconds", "service_name, span_name"),
                "{{service_name}} {{span_name}}",
            ),
            width=12,
            unit="s",
            from_zero=True,
        ),
    )


def _logs(made: Dashboard) -> None:
    with_row(
        made,
        "Logs",
        over_time(
            "Lines by level",
            "How many lines the programs logged.",
            logql(
                'sum by (level) (count_over_time({service_name=~"$service"} | json [$__auto]))', "{{level}}"
            ),
            width=12,
            unit="none",
        ),
        over_time(
            "Events that warn",
            "The names of events of level warning and above.",
            logql(
                "topk(10, sum by (event) (count_over_time("
                '{service_name=~"$service"} | json | level=~"warning|error|critical" [$__auto])))',
                "{{event}}",
            ),
            width=12,
            unit="none",
        ),
        log_lines(
            "Lines",
            "Newest first; of the trace or the capture where one is named above.",
            logql(_LINES),
            width=24,
        ),
    )
