"""VictoriaLogs, built from `3rdparty/go`: it takes logs by OTLP, finds them again, and stands in for Loki."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from servers import fetch
from servers.listening import Listening

_ANSWER_TIMEOUT_S = 10


class VictoriaLogs(Listening):
    """A log store in a folder. Raises `fetch.Missing` and `ServerFailed`."""

    name = "victoria-logs"
    ready_path = "/health"

    def command(self) -> Sequence[str]:
        return [
            str(fetch.built("victorialogs") / "victoria-logs"),
            f"-storageDataPath={self.folder / 'logs'}",
            f"-httpListenAddr={self.address()}",
            "-retentionPeriod=100y",
        ]

    @property
    def otlp_url(self) -> str:
        """Where OTLP's logs go."""
        return f"{self.url}/insert/opentelemetry/v1/logs"

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The lines that a query of LogsQL finds; `_msg` is what was said, `trace_id` in which trace."""
        body = urllib.parse.urlencode({"query": query}).encode()
        asked = f"{self.url}/select/logsql/query"
        with urllib.request.urlopen(asked, body, timeout=_ANSWER_TIMEOUT_S) as answer:
            return [json.loads(line) for line in answer]
