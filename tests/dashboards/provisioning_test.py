"""What Grafana starts with: data sources and dashboards, in the form that its manual documents; no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dashboards.expressions import dashboards

FOLDER = Path("ops/grafana")
VARIABLE = r"^\$[A-Z][A-Z_]*$"
FromEnvironment = Annotated[str, Field(pattern=VARIABLE)]
Shift = Annotated[str, Field(pattern=r"^-?\d+[smh]$")]


class Documented(BaseModel):
    """Names and values as the manual has them, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Exemplar(Documented):
    name: str
    datasourceUid: str


class PrometheusOptions(Documented):
    httpMethod: Literal["POST", "GET"]
    prometheusType: Literal["Prometheus", "Mimir", "Cortex", "Thanos"]
    timeInterval: Shift
    manageAlerts: bool
    exemplarTraceIdDestinations: list[Exemplar]


class AlertmanagerOptions(Documented):
    implementation: Literal["prometheus", "mimir", "cortex"]
    handleGrafanaManagedAlerts: bool


class DerivedField(Documented):
    name: str
    matcherType: Literal["regex", "label"]
    matcherRegex: str
    datasourceUid: str
    url: str
    urlDisplayLabel: str


class LokiOptions(Documented):
    maxLines: int
    derivedFields: list[DerivedField]


class Tag(Documented):
    key: str
    value: str


class NamedQuery(Documented):
    name: str
    query: str


class ToLogs(Documented):
    datasourceUid: str
    spanStartTimeShift: Shift
    spanEndTimeShift: Shift
    customQuery: bool
    query: str


class ToMetrics(Documented):
    datasourceUid: str
    spanStartTimeShift: Shift
    spanEndTimeShift: Shift
    tags: list[Tag]
    queries: list[NamedQuery]


class ServiceMap(Documented):
    datasourceUid: str


class NodeGraph(Documented):
    enabled: bool


class TempoOptions(Documented):
    tracesToLogsV2: ToLogs
    tracesToMetrics: ToMetrics
    serviceMap: ServiceMap
    nodeGraph: NodeGraph


class PostgresOptions(Documented):
    database: FromEnvironment
    sslmode: FromEnvironment
    postgresVersion: int
    timescaledb: bool
    maxOpenConns: int
    maxIdleConns: int
    connMaxLifetime: int


class Password(Documented):
    password: FromEnvironment


class DataSource(Documented):
    name: str
    uid: str
    access: Literal["proxy"]
    url: FromEnvironment
    editable: Literal[False]
    isDefault: bool = False


class Prometheus(DataSource):
    type: Literal["prometheus"]
    jsonData: PrometheusOptions


class Alertmanager(DataSource):
    type: Literal["alertmanager"]
    jsonData: AlertmanagerOptions


class Loki(DataSource):
    type: Literal["loki"]
    jsonData: LokiOptions


class Tempo(DataSource):
    type: Literal["tempo"]
    jsonData: TempoOptions


class Postgres(DataSource):
    type: Literal["grafana-postgresql-datasource"]
    user: FromEnvironment
    secureJsonData: Password
    jsonData: PostgresOptions


OneOfThem = Annotated[Prometheus | Alertmanager | Loki | Tempo | Postgres, Field(discriminator="type")]


class DataSources(Documented):
    apiVersion: Literal[1]
    prune: bool
    datasources: list[OneOfThem]


class Files(Documented):
    path: str
    foldersFromFilesStructure: bool


class Provider(Documented):
    name: str
    orgId: int
    folder: str
    folderUid: str
    type: Literal["file"]
    disableDeletion: bool
    allowUiUpdates: bool
    updateIntervalSeconds: int
    options: Files


class Providers(Documented):
    apiVersion: Literal[1]
    providers: list[Provider]


def read(name: str) -> Any:
    """A file, as YAML."""
    return yaml.safe_load((FOLDER / "provisioning" / name).read_text(encoding="utf-8"))


def test_data_sources_are_as_documented_and_hold_neither_address_nor_secret() -> None:
    given = TypeAdapter(DataSources).validate_python(read("datasources/coinlake.yaml"))
    assert [each.isDefault for each in given.datasources].count(True) == 1
    assert len({each.uid for each in given.datasources}) == len(given.datasources)


def test_dashboards_are_provided_as_documented() -> None:
    (given,) = TypeAdapter(Providers).validate_python(read("dashboards/coinlake.yaml")).providers
    assert given.disableDeletion
    assert not given.allowUiUpdates


def test_whatever_names_a_data_source_names_one_that_is_provisioned_and_of_that_type() -> None:
    given = {each["uid"]: each["type"] for each in read("datasources/coinlake.yaml")["datasources"]}
    named = list(_references(dashboards()))
    assert named
    assert {(uid, kind) for uid, kind in named} <= set(given.items())
    assert set(_uids(read("datasources/coinlake.yaml"))) <= given.keys()


def test_a_dollar_sign_is_a_variable_of_the_environment_or_doubled() -> None:
    for text in _texts(read("datasources/coinlake.yaml")):
        assert re.match(VARIABLE, text) or not re.search(r"\$", text.replace("$$", "")), text


def test_each_variable_is_given_by_compose_and_said_in_the_docs() -> None:
    wanted = {text[1:] for text in _texts(read("datasources/coinlake.yaml")) if re.match(VARIABLE, text)}
    compose = yaml.safe_load(Path("ops/compose/observability.yaml").read_text(encoding="utf-8"))
    docs = Path("docs/dashboards.md").read_text(encoding="utf-8")
    assert wanted
    assert wanted <= compose["services"]["grafana"]["environment"].keys()
    assert {name for name in wanted if f"`{name}`" in docs} == wanted


def _references(part: Any) -> Iterator[tuple[str, str]]:
    """The uid and type of each data source that is named in a dashboard."""
    if isinstance(part, dict):
        if isinstance(source := part.get("datasource"), dict):
            yield source["uid"], source["type"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def _uids(part: Any) -> Iterator[str]:
    """Each data source that another one leads to."""
    if isinstance(part, dict):
        if "datasourceUid" in part:
            yield part["datasourceUid"]
        for each in part.values():
            yield from _uids(each)
    elif isinstance(part, list):
        for each in part:
            yield from _uids(each)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for each in part.values():
            yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
