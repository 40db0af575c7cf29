"""The rules that are shipped: each is tried by promtool, asks for what there is, and says what to do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from observed import shipped
from observed.shipped import Rule, alerts, asked, rules
from servers import fetch

pytestmark = pytest.mark.usefixtures("prometheus_programs")

_TIMEOUT_S = 60


def said(*command: str, **environment: str) -> str:
    """What a program says, which must be pleased."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, env=environment or None, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_its_configuration_and_every_rule() -> None:
    config = str(shipped.OPS / "prometheus/prometheus.yaml")
    answer = said(fetch.installed("promtool"), "check", "config", config, ENVIRONMENT="test")
    assert sum(map(int, re.findall(r"(\d+) rules found", answer))) == len(rules())


@pytest.mark.parametrize("file", sorted(shipped.TESTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    said(fetch.installed("promtool"), "test", "rules", str(file))


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_is_tried_where_it_fires_where_it_does_not_and_without_its_series(alert: Rule) -> None:
    tried = [
        (case, bool(each.get("exp_samples") or each.get("exp_alerts")))
        for case in _cases()
        for each in (*case.get("promql_expr_test", ()), *case.get("alert_rule_test", ()))
        if each.get("alertname") == alert.name or _is_about(alert.name, each.get("expr", ""))
    ]
    assert any(fires for _, fires in tried)
    if alert.name == "Watchdog":  # which is to fire whatever there is
        return
    assert any(not fires for _, fires in tried)
    needed = _series_behind(alert)
    assert any(
        not fires and not needed <= {asked(each["series"]).pop() for each in case["input_series"]}
        for case, fires in tried
    )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_rule_asks_for_nothing_that_nobody_tells(rule: Rule) -> None:
    assert asked(rule.expression) <= shipped.known()


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_says_whom_it_wakes_what_is_wrong_and_what_to_do(alert: Rule) -> None:
    assert alert.severity in {"page", "ticket", "none"}
    assert set(alert.annotations) == {"summary", "description"}
    runbook = (shipped.OPS / f"runbooks/{alert.name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.+)$", runbook, re.MULTILINE) == [
        *(alert.name, "What it means", "Look here", "Do this")
    ]


def test_every_runbook_is_of_an_alert() -> None:
    pages = {file.stem for file in (shipped.OPS / "runbooks").glob("*.md")}
    assert pages == {alert.name for alert in alerts()}


ROUTES = [
    ({"severity": "page", "environment": "production"}, "on-call"),
    ({"severity": "page", "environment": "staging"}, "chat"),
    ({"severity": "ticket", "environment": "production"}, "chat"),
    ({"severity": "page", "environment": "local"}, "nobody"),
    ({"severity": "none", "environment": "production", "alertname": "Watchdog"}, "heartbeat"),
    ({"severity": "none", "environment": "production"}, "nobody"),
]


@pytest.mark.parametrize(("labels", "receiver"), ROUTES)
def test_an_alert_wakes_whom_it_should(labels: dict[str, str], receiver: str) -> None:
    config = shipped.OPS / "alertmanager/alertmanager.yaml"
    given = [f"{name}={value}" for name, value in labels.items()]
    routes = ("config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}")
    said(fetch.installed("amtool"), *routes, *given)


def test_alertmanager_takes_its_configuration() -> None:
    said(fetch.installed("amtool"), "check-config", str(shipped.OPS / "alertmanager/alertmanager.yaml"))


def test_what_is_inhibited_and_by_what_are_alerts_that_there_are() -> None:
    config = yaml.safe_load((shipped.OPS / "alertmanager/alertmanager.yaml").read_text(encoding="utf-8"))
    names = {alert.name for alert in alerts()}
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            if found := re.fullmatch(r'alertname =~? "?([^"]+)"?', matcher):
                for each in found[1].split("|"):
                    assert any(re.fullmatch(each, name) for name in names), each


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (a) (rate(x_total{b="c(d)"}[5m] offset 1h)) > bool 3e5', {"x_total"}),
        ("time() - max(a:b) unless on (c) group_left () d", {"a:b", "d"}),
        ('label_replace(up, "service", "x", "", "")', {"up"}),
    ],
)
def test_names_are_found_in_an_expression(expression: str, names: set[str]) -> None:
    assert asked(expression) == names


@cache
def _cases() -> Sequence[Mapping[str, Any]]:
    files = sorted(shipped.TESTS.glob("*.yaml"))
    return [case for file in files for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


def _is_about(alert: str, expression: str) -> bool:
    """Whether an expression asks for this alert, by its name or by a pattern of names."""
    matchers = re.findall(r'alertname=(~?)"([^"]*)"', expression)
    return any(re.fullmatch(name, alert) if pattern else name == alert for pattern, name in matchers)


def _series_behind(alert: Rule) -> set[str]:
    """The series that it stands on in the end, below what is recorded."""
    made_of = {rule.name: asked(rule.expression) for rule in rules() if not rule.is_alert}
    below, found = asked(alert.expression), set[str]()
    while below:
        name = below.pop()
        below |= made_of.get(name, set())
        if name not in made_of:
            found.add(name)
    return found
