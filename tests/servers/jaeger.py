"""Jaeger, built from `3rdparty/go`: it takes traces by OTLP and gives them back, and stands in for Tempo."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import HTTPError

from servers import fetch
from servers.listening import Listening

_ANSWER_TIMEOUT_S = 10


class Jaeger(Listening):
    """A Jaeger that forgets everything at its end. Raises `fetch.Missing` and `ServerFailed`."""

    name = "jaeger"
    doors = (
        *("query", "query_grpc", "otlp_grpc", "otlp_http", "collector_http", "collector_grpc"),
        *("sampling", "binary", "compact", "zipkin", "admin"),
    )

    def command(self) -> Sequence[str]:
        at = self.address
        return [
            str(fetch.built("jaeger") / "all-in-one"),
            "--collector.otlp.enabled=true",
            f"--collector.otlp.grpc.host-port={at('otlp_grpc')}",
            f"--collector.otlp.http.host-port={at('otlp_http')}",
            f"--collector.http-server.host-port={at('collector_http')}",
            f"--collector.grpc-server.host-port={at('collector_grpc')}",
            f"--query.http-server.host-port={at('query')}",
            f"--query.grpc-server.host-port={at('query_grpc')}",
            f"--http-server.host-port={at('sampling')}",
            f"--processor.jaeger-binary.server-host-port={at('binary')}",
            f"--processor.jaeger-compact.server-host-port={at('compact')}",
            f"--processor.zipkin-compact.server-host-port={at('zipkin')}",
            f"--admin.http.host-port={at('admin')}",
        ]

    def environment(self) -> Mapping[str, str]:
        return os.environ | {"SPAN_STORAGE_TYPE": "memory"}

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, each with its process under `service`; none where it is unknown."""
        try:
            (trace,) = self._get(f"traces/{trace_id}")
        except (HTTPError, ValueError):
            return []
        return [
            span | {"service": trace["processes"][span["processID"]]["serviceName"]}
            for span in trace["spans"]
        ]

    def find(self, service: str, **tags: str) -> list[str]:
        """Ids of traces with a span of the service that has these tags."""
        query = urllib.parse.urlencode({"service": service, "tags": json.dumps(tags), "limit": 100})
        return [trace["traceID"] for trace in self._get(f"traces?{query}")]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/{path}", timeout=_ANSWER_TIMEOUT_S) as answer:
            return json.load(answer)["data"]
