"""Telegraf, built from `3rdparty/go` with what the configuration that is shipped names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from servers import fetch
from servers.listening import Listening


class Telegraf(Listening):
    """A Telegraf that serves Prometheus; what differs from where it is shipped for stands in the variables.

    Raises `fetch.Missing` and `ServerFailed`.
    """

    name = "telegraf"
    ready_path = "/metrics"

    def __init__(self, folder: Path, config: Path, variables: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._config = config.absolute()
        self._variables = variables

    def command(self) -> Sequence[str]:
        return [
            str(fetch.built("telegraf") / "telegraf"),
            f"--config={self._config}",
            "--strict-env-handling",
        ]

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "TELEGRAF_LISTEN": self.address(), **self._variables}
