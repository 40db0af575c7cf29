"""All that watches, as it is shipped but for addresses and `accelerated` times, around servers of a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observed import accelerated
from observed.accelerated import Accelerated
from observed.listener import Listener
from observed.shipped import OPS
from servers.alertmanager import Alertmanager
from servers.collector import Collector
from servers.exporters import BlackboxExporter, NodeExporter, PostgresExporter
from servers.jaeger import Jaeger
from servers.server import Server
from servers.victorialogs import VictoriaLogs

RECEIVERS = ("on-call", "chat", "heartbeat")


@dataclass(frozen=True)
class Watching:
    """What watches, running; `listener` has what it said."""

    collector: Collector
    prometheus: Accelerated
    alertmanager: Alertmanager
    logs: VictoriaLogs
    traces: Jaeger
    node: NodeExporter
    listener: Listener

    @classmethod
    @contextmanager
    def over(cls, folder: Path, dsn: str, probed: Mapping[str, str], log_files: str) -> Iterator[Watching]:
        """Over a warehouse, servers by name and address, and the programs that log into these files."""
        with ExitStack() as stack:
            listener = stack.enter_context(Listener())
            logs, traces = VictoriaLogs(folder / "logs"), Jaeger(folder / "traces")
            collector = Collector(
                folder / "collector", OPS / "collector/config.yaml", _variables(logs, traces, log_files)
            )
            exporters: dict[str, NodeExporter | BlackboxExporter | PostgresExporter] = {
                "node-exporter": NodeExporter(folder / "node"),
                "blackbox-exporter": BlackboxExporter(
                    folder / "blackbox", OPS / "blackbox_exporter/config.yaml"
                ),
                "postgres-exporter": PostgresExporter(
                    folder / "postgres-exporter", dsn, _uncached(folder / "queries.yaml")
                ),
            }
            alertmanager = Alertmanager(
                folder / "alertmanager",
                accelerated.alertmanager(folder / "am", {name: listener.url(name) for name in RECEIVERS}),
            )
            scraped = {
                **{name: exporter.address() for name, exporter in exporters.items()},
                "alertmanager": alertmanager.address(),
                "otelcol": collector.address("itself"),
            }
            knocking = exporters["blackbox-exporter"].address()
            targets: dict[str, Sequence[Mapping[str, Any]]] = {
                "programs": [{"targets": [collector.address("programs")]}],
                "alertmanager": [{"targets": [alertmanager.address()]}],
                "exporters": [{"targets": [at], "labels": {"service": name}} for name, at in scraped.items()],
                "probes": [
                    {"targets": [at], "labels": {"service": name, "knocked_by": knocking}}
                    for name, at in probed.items()
                ],
            }
            prometheus = Accelerated(folder / "prometheus", accelerated.prometheus(folder / "rules", targets))
            _start(stack, [logs, traces, collector, *exporters.values(), alertmanager, prometheus])
            node = exporters["node-exporter"]
            assert isinstance(node, NodeExporter)
            yield cls(collector, prometheus, alertmanager, logs, traces, node, listener)


def _variables(logs: VictoriaLogs, traces: Jaeger, log_files: str) -> dict[str, str]:
    return {
        "BATCH_TIMEOUT": "200ms",
        "LOGS_URL": logs.otlp_url,
        "LOG_FILES": log_files,
        "LOG_START": "beginning",
        "METRIC_EXPIRATION": "6s",
        "RETRY_EVERY": "1s",
        "RETRY_FOR": "3s",
        "SPAN_METRICS_EVERY": "1s",
        "TRACES_ENDPOINT": traces.address("otlp_grpc"),
    }


def _uncached(place: Path) -> Path:
    """The queries of the warehouse, asked at each scrape: those come every second here."""
    text = (OPS / "postgres_exporter/queries.yaml").read_text(encoding="utf-8")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text.replace("  cache_seconds: 10\n", ""), encoding="utf-8")
    return place


def _start(stack: ExitStack, servers: list[Server]) -> None:
    """Starts all at once; each is closed at the end, and shows its last words if something failed."""
    for server in servers:
        stack.callback(server.close)
    with ThreadPoolExecutor(len(servers)) as threads:
        list(threads.map(lambda server: server.start(), servers))
