"""Exporters for Prometheus, from Debian: of the machine, of PostgreSQL, and of what answers from outside."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg.conninfo import make_conninfo

from servers import fetch
from servers.listening import Listening

_ANSWER_TIMEOUT_S = 10


class _Exporter(Listening):
    def metrics(self) -> str:
        """What it says now, as Prometheus reads it."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=_ANSWER_TIMEOUT_S) as answer:
            said: bytes = answer.read()
            return said.decode()


class NodeExporter(_Exporter):
    """Of this machine's disks, those of tests included, and nothing else."""

    name = "node-exporter"

    def command(self) -> Sequence[str]:
        return [
            fetch.installed("prometheus-node-exporter"),
            f"--web.listen-address={self.address()}",
            "--collector.disable-defaults",
            "--collector.filesystem",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys)($|/)",
        ]


class BlackboxExporter(_Exporter):
    """It knocks at doors for Prometheus, by the modules of its configuration."""

    name = "blackbox-exporter"

    def __init__(self, folder: Path, config: Path) -> None:
        super().__init__(folder)
        self._config = config.absolute()

    def command(self) -> Sequence[str]:
        return [
            fetch.installed("prometheus-blackbox-exporter"),
            f"--web.listen-address={self.address()}",
            f"--config.file={self._config}",
        ]


class PostgresExporter(_Exporter):
    """Of one database, without TLS, with queries of ours. The connection string, which holds the password,
    stands in its environment only."""

    name = "postgres-exporter"

    def __init__(self, folder: Path, dsn: str, queries: Path) -> None:
        super().__init__(folder)
        self._dsn = make_conninfo(dsn, sslmode="disable")
        self._queries = queries.absolute()

    def command(self) -> Sequence[str]:
        return [
            fetch.installed("prometheus-postgres-exporter"),
            f"--web.listen-address={self.address()}",
            f"--extend.query-path={self._queries}",
        ]

    def environment(self) -> Mapping[str, str]:
        return os.environ | {"DATA_SOURCE_NAME": self._dsn}
