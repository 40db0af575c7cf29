"""The OpenTelemetry collector, built from `3rdparty/go`, on the configuration that is shipped."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from servers import fetch
from servers.listening import Listening


class Collector(Listening):
    """A collector; what differs from where it is shipped for stands in the variables.

    Its own doors are among them. Raises `fetch.Missing` and `ServerFailed`.
    """

    name = "otelcol"
    doors = ("otlp_http", "otlp_grpc", "programs", "itself", "health")

    def __init__(self, folder: Path, config: Path, variables: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._config = config.absolute()
        self._variables = variables

    def command(self) -> Sequence[str]:
        return [str(fetch.built("collector") / "otelcol"), f"--config={self._config}"]

    def environment(self) -> Mapping[str, str]:
        host, port = self.address("itself").split(":")
        ours = {
            "OTLP_HTTP_LISTEN": self.address("otlp_http"),
            "OTLP_GRPC_LISTEN": self.address("otlp_grpc"),
            "PROGRAMS_LISTEN": self.address("programs"),
            "ITSELF_LISTEN_HOST": host,
            "ITSELF_LISTEN_PORT": port,
            "HEALTH_LISTEN": self.address("health"),
            "QUEUE_FOLDER": str(self.folder / "queue"),
        }
        return {**os.environ, **ours, **self._variables}
