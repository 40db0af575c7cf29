"""The programs that watch, as tests get them: each serves, and comes back after `kill -9`."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from servers.alertmanager import Alertmanager
from servers.collector import Collector
from servers.exporters import BlackboxExporter, NodeExporter, PostgresExporter
from servers.jaeger import Jaeger
from servers.listening import Listening
from servers.postgres import Postgres
from servers.prometheus import Prometheus
from servers.victorialogs import VictoriaLogs

pytestmark = pytest.mark.usefixtures("watching_programs")

OPS = Path("ops").absolute()
_DEADLINE_S = 30
_TRACE = "5b8aa5a2d2c872e8321cf37308d69df2"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + _DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)


def post(url: str, content: object) -> None:
    asked = urllib.request.Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=_DEADLINE_S) as answer:
        assert answer.status == 200


def back_after_a_kill(server: Listening) -> None:
    before = server.address()
    server.kill()
    assert not server.runs
    server.start()
    assert server.address() == before


def test_what_the_collector_is_told_goes_where_it_belongs_and_waits_while_nobody_takes_it(
    tmp_path: Path,
) -> None:
    said = tmp_path / "program.log"
    said.write_text(f'{{"event": "hello.there", "level": "warning", "trace_id": "{_TRACE}"}}\nplain\n')
    with VictoriaLogs(tmp_path / "logs") as logs, Jaeger(tmp_path / "traces") as traces:
        variables = {
            "LOG_FILES": str(said),
            "LOG_START": "beginning",
            "BATCH_TIMEOUT": "100ms",
            "LOGS_URL": logs.otlp_url,
            "TRACES_ENDPOINT": traces.address("otlp_grpc"),
        }
        logs.kill()
        with Collector(tmp_path / "collector", OPS / "collector/config.yaml", variables) as collector:
            post(f"http://{collector.address('otlp_http')}/v1/traces", _a_span())
            until(lambda: [span["operationName"] for span in traces.trace(_TRACE)] == ["fetch"])
            back_after_a_kill(collector)
            logs.start()
            until(lambda: logs.ask(f"trace_id:={_TRACE}"))
            (line,) = logs.ask(f"trace_id:={_TRACE}")
            assert (line["event"], line["severity_text"]) == ("hello.there", "warning")
            assert [one["_msg"] for one in logs.ask("plain")] == ["plain"]


def test_prometheus_scrapes_asks_and_comes_back_with_its_series(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yaml"
    with NodeExporter(tmp_path / "node") as node:
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{node.address()}']}}]}}]\n"
        )
        with Prometheus(tmp_path / "prometheus", config) as prometheus:
            until(lambda: prometheus.ask("node_filesystem_size_bytes > 0"))
            assert [target["health"] for target in prometheus.targets()] == ["up"]
            ((begun, _),) = (one["value"] for one in prometheus.ask("vector(1)"))
            back_after_a_kill(prometheus)
            assert prometheus.ask(f"up{{job='node'}} @ {begun}")


def test_alertmanager_takes_an_alert(tmp_path: Path) -> None:
    config = OPS / "alertmanager/alertmanager.yaml"
    with Alertmanager(tmp_path, config) as alertmanager:
        back_after_a_kill(alertmanager)
        post(f"{alertmanager.url}/api/v2/alerts", [{"labels": {"alertname": "Trial"}}])
        until(lambda: [alert["labels"]["alertname"] for alert in alertmanager.alerts()] == ["Trial"])


def test_exporters_say_what_postgresql_is_and_whether_a_port_answers(tmp_path: Path) -> None:
    queries = tmp_path / "queries.yaml"
    queries.write_text(
        'two: {master: true, query: "SELECT 2 AS n", metrics: [{n: {usage: GAUGE, description: Two.}}]}\n'
    )
    with (
        Postgres(tmp_path / "postgres") as postgres,
        PostgresExporter(tmp_path / "exporter", postgres.dsn, queries) as exporter,
        BlackboxExporter(tmp_path / "blackbox", OPS / "blackbox_exporter/config.yaml") as blackbox,
    ):
        assert "\ntwo_n" in exporter.metrics()
        assert "\npg_up 1" in exporter.metrics()
        knocked = f"{blackbox.url}/probe?module=tcp&target={exporter.address()}"
        with urllib.request.urlopen(knocked, timeout=_DEADLINE_S) as answer:
            assert b"\nprobe_success 1" in answer.read()


def _a_span() -> object:
    now_ns = time.time_ns()
    span = {
        "traceId": _TRACE,
        "spanId": "051581bf3cb55c13",
        "name": "fetch",
        "kind": 1,
        "startTimeUnixNano": str(now_ns),
        "endTimeUnixNano": str(now_ns + 1_000_000),
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "trial"}}]}
    return {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}
