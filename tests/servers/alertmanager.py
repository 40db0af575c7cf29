"""Alertmanager, from Debian, alone and without gossip."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from servers import fetch
from servers.listening import Listening

_ANSWER_TIMEOUT_S = 10


class Alertmanager(Listening):
    """An Alertmanager with a configuration of the test's. Raises `fetch.Missing` and `ServerFailed`."""

    name = "alertmanager"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, config: Path) -> None:
        super().__init__(folder)
        self._config = config.absolute()

    def command(self) -> Sequence[str]:
        return [
            fetch.installed("prometheus-alertmanager"),
            f"--config.file={self._config}",
            f"--storage.path={self.folder / 'notified'}",
            f"--web.listen-address={self.address()}",
            "--cluster.listen-address=",
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """What it was told and has not forgotten; `status.state` says what is held back."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=_ANSWER_TIMEOUT_S) as answer:
            alerts: list[dict[str, Any]] = json.load(answer)
            return alerts


def amtool() -> str:
    """The program that checks configurations and shows routes."""
    return fetch.installed("amtool")
