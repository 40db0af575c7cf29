"""What panels ask: one function for each data source. Their uids are those of the provisioned ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from grafana_foundation_sdk.builders import loki, prometheus, tempo
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.tempo import SearchTableType

METRICS = DataSourceRef("prometheus", "coinlake-prometheus")
LOGS = DataSourceRef("loki", "coinlake-loki")
TRACES = DataSourceRef("tempo", "coinlake-tempo")
WAREHOUSE = DataSourceRef("grafana-postgresql-datasource", "coinlake-warehouse")

OF_SOURCE = '{source=~"$source"}'
"""PromQL: of the sources that are chosen."""


@dataclass(frozen=True)
class Query:
    """A question to a data source; `ask` makes it by the letter that tells it apart in its panel."""

    of: DataSourceRef
    ask: Callable[[str], Builder[Dataquery]]


def promql(expression: str, legend: str = "") -> Query:
    """A time series for each series of the answer."""
    return Query(
        METRICS, lambda letter: _promql(expression, letter).range().legend_format(legend or "__auto")
    )


def promql_now(expression: str, legend: str = "") -> Query:
    """The values at the end of the shown time, as a number each."""
    return Query(
        METRICS, lambda letter: _promql(expression, letter).instant().legend_format(legend or "__auto")
    )


def promql_table(expression: str) -> Query:
    """The values at the end of the shown time, as a row each with a column a label."""
    return Query(METRICS, lambda letter: _promql(expression, letter).instant().format(PromQueryFormat.TABLE))


def _promql(expression: str, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).datasource(METRICS).expr(expression)


def rate(series: str, by: str, having: str = "") -> str:
    """PromQL: how much a counter grows a second, by labels."""
    return f"sum by ({by}) (rate({series}{having}[$__rate_interval]))"


def increase(series: str, by: str, having: str = "") -> str:
    """PromQL: by how much a counter grew from one point of the graph to the next, by labels."""
    return f"sum by ({by}) (increase({series}{having}[$__rate_interval]))"


def in_shown_time(counter: str, having: str = "") -> str:
    """PromQL: by how much a counter grew in the shown time; 0 where nobody tells."""
    return f"sum(increase({counter}{having}[$__range])) or vector(0)"


def quantile(share: str, histogram: str, by: str = "", having: str = "") -> str:
    """PromQL: what so large a share of a histogram's observations did not exceed."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', labels, having)})"


def half_and_95(histogram: str, having: str = "") -> tuple[Query, Query]:
    """What half of a histogram's observations, and 95 of 100, did not exceed."""
    return (
        promql(quantile("0.5", histogram, having=having), "half"),
        promql(quantile("0.95", histogram, having=having), "95 %"),
    )


def sql_series(name: str, /, **words: str) -> Query:
    """`sql/NAME.sql` as time series: in order of a column `time`; texts name series, numbers are plotted."""
    return Query(WAREHOUSE, lambda letter: _Sql(statement(name, **words), "time_series", letter))


def sql_table(name: str, /, **words: str) -> Query:
    """`sql/NAME.sql` as it answers."""
    return Query(WAREHOUSE, lambda letter: _Sql(statement(name, **words), "table", letter))


def logql(expression: str, legend: str = "") -> Query:
    """Lines of logs, or what is counted of them."""
    return Query(
        LOGS,
        lambda letter: (
            loki.Dataquery()
            .ref_id(letter)
            .datasource(LOGS)
            .expr(expression)
            .query_type("range")
            .legend_format(legend)
        ),
    )


def traceql(expression: str, limit: int = 20) -> Query:
    """Traces that hold such a span, newest first; or one trace by its id."""
    return Query(
        TRACES,
        lambda letter: (
            tempo.TempoQuery()
            .ref_id(letter)
            .datasource(TRACES)
            .query_type("traceql")
            .query(expression)
            .limit(limit)
            .table_type(SearchTableType.TRACES)
        ),
    )


def statement(name: str, /, **words: str) -> str:
    """The text of `sql/NAME.sql`, with each `{{word}}` replaced. Raises `KeyError` where one is not given."""
    text = (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8").strip()
    return re.sub(r"\{\{(\w+)\}\}", lambda found: words[found[1]], text)


@dataclass(frozen=True)
class _Sql(Dataquery, Builder[Dataquery]):
    """A query of Grafana's PostgreSQL source, of which the SDK has no type."""

    text: str
    form: str
    letter: str

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return {
            "refId": self.letter,
            "datasource": WAREHOUSE,
            "editorMode": "code",
            "format": self.form,
            "rawQuery": True,
            "rawSql": self.text,
        }
