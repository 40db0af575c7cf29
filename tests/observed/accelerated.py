"""What is shipped for Prometheus and Alertmanager, `SPEED` times faster, for these servers and addresses.

Nothing else is changed: each length of time in a rule (`for`, ranges, offsets, and seconds that something is
compared with) becomes a thirtieth, and so does each of Alertmanager's. What is stated of an alert as minutes
is therefore shown here as seconds. Those few that take hours are faster still (`FASTER`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from observed.shipped import OPS
from servers.prometheus import Prometheus

SPEED = 30
FASTER = {"NeverVerified": 2160, "QuotaRunningOut": 720, "coinlake:quota:left_at_months_end": 720}
"""A day and a half becomes a minute, and six hours half of one."""
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"\b(\d+)(ms|[smhd])\b")
_SECONDS = re.compile(r"((?:[<>]=?|[+,])\s*(?:bool\s+)?(?:on \(\w*\)\s*)?)(\d{2,})\b(?!\.|\s*\*)")
"""Seconds stand behind a comparison, a plus or a comma; ratios and shares are below ten."""
_NO_TIMES = {"DeadLettersRising", "coinlake:quota:left_at_months_end"}
"""Numbers above nine that are no times: ten letters; the seconds of a month."""


def prometheus(folder: Path, addresses: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """The configuration, with rules and targets beside it. `addresses` are the targets, file by file."""
    shutil.copytree(OPS / "prometheus", folder)
    config = yaml.safe_load((folder / "prometheus.yaml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["global"]["external_labels"] = {"environment": "production"}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for name, targets in addresses.items():
        assert (folder / f"targets/{name}.yaml").exists()
        (folder / f"targets/{name}.yaml").write_text(yaml.safe_dump(list(targets)), encoding="utf-8")
    for file in (folder / "rules").glob("*.yaml"):
        rules = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in rules["groups"]:
            group.pop("interval", None)
            group["rules"] = [_faster(rule) for rule in group["rules"]]
        file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return folder / "prometheus.yaml"


def alertmanager(folder: Path, urls: Mapping[str, str]) -> Path:
    """The configuration, with the secrets that it names: where each receiver's messages go."""
    folder.mkdir()
    text = (OPS / "alertmanager/alertmanager.yaml").read_text(encoding="utf-8")
    for receiver, url in urls.items():
        secret = f"/etc/alertmanager/secrets/{receiver.replace('-', '_')}_url"
        assert secret in text, secret
        (folder / receiver).write_text(url, encoding="ascii")
        text = text.replace(secret, str(folder / receiver))
    (folder / "alertmanager.yaml").write_text(_shorter(text), encoding="utf-8")
    return folder / "alertmanager.yaml"


def faster(name: str, expression: str) -> str:
    """The expression of a rule with each time shorter: a thirtieth of what it was, or less (`FASTER`)."""
    speed = FASTER.get(name, SPEED)
    shorter = _shorter(expression, speed)
    if name in _NO_TIMES:
        return shorter
    return _SECONDS.sub(lambda found: f"{found[1]}{int(found[2]) / speed:g}", shorter)


def _faster(rule: dict[str, Any]) -> dict[str, Any]:
    name = rule.get("alert") or rule["record"]
    made = rule | {"expr": faster(name, str(rule["expr"]))}
    if "for" in rule:
        made["for"] = _shorter(rule["for"], FASTER.get(name, SPEED))
    return made


def _shorter(text: str, speed: int = SPEED) -> str:
    """The text with its lengths of time shorter."""
    return _DURATION.sub(lambda found: f"{max(int(found[1]) * _UNITS_MS[found[2]] // speed, 1)}ms", text)


class Accelerated(Prometheus):
    """A Prometheus that shows a change as soon as it is known."""

    def command(self) -> Sequence[str]:
        return [*super().command(), "--rules.alert.resend-delay=1s"]
