"""Prometheus, from Debian, on a configuration of the test's, and what is asked of it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from servers import fetch
from servers.listening import Listening

_ANSWER_TIMEOUT_S = 10
_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


class Prometheus(Listening):
    """A Prometheus that keeps what it scrapes in its folder. Raises `fetch.Missing` and `ServerFailed`."""

    name = "prometheus"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, config: Path) -> None:
        super().__init__(folder)
        self._config = config.absolute()

    def command(self) -> Sequence[str]:
        return [
            fetch.installed("prometheus"),
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self.folder / 'series'}",
            f"--web.listen-address={self.address()}",
        ]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that an expression has now, each as `{"metric": labels, "value": [time, text]}`."""
        data: dict[str, Any] = self._get("query", {"query": query})
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        series: list[dict[str, Any]] = data["result"]
        return series

    def alerts(self) -> list[dict[str, Any]]:
        """What fires or is about to."""
        alerts: list[dict[str, Any]] = self._get("alerts")["alerts"]
        return alerts

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with how its last evaluation went."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def targets(self) -> list[dict[str, Any]]:
        """What is scraped, and how that goes."""
        targets: list[dict[str, Any]] = self._get("targets?state=active")["activeTargets"]
        return targets

    def _get(self, path: str, form: dict[str, str] | None = None) -> Any:
        body = urllib.parse.urlencode(form).encode() if form else None
        asked = urllib.request.Request(f"{self.url}/api/v1/{path}", body, _TYPE if form else {})
        with urllib.request.urlopen(asked, timeout=_ANSWER_TIMEOUT_S) as answer:
            return json.load(answer)["data"]


def promtool() -> str:
    """The program that checks and tries rules."""
    return fetch.installed("promtool")
