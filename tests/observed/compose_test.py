"""What ops/compose/observability.yaml promises, told from the files as Docker Compose reads them together."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose.resolved import laid_out, resolved
from observed.shipped import OPS, rules

OURS = ("producer", "spark", "page", "airflow-scheduler", "airflow-dag-processor", "airflow-api-server")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = laid_out(tmp_path_factory.mktemp("here"))
    return resolved(place, "compose.yaml", "observability.yaml")


@pytest.fixture(scope="module")
def watchers(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that observability.yaml adds."""
    added = yaml.safe_load((OPS / "compose/observability.yaml").read_text(encoding="utf-8"))["services"]
    return {name: project["services"][name] for name in added if name not in (*OURS, "kafka")}


def test_only_grafana_is_published_and_on_loopback(watchers: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in watchers.items() if service.get("ports")}
    assert set(published) == {"grafana"}
    assert all(ipaddress.ip_address(port["host_ip"]).is_loopback for port in published["grafana"])


def test_only_grafana_and_who_wakes_people_are_on_a_network_that_leads_out(
    project: dict[str, Any], watchers: dict[str, dict[str, Any]]
) -> None:
    inner = {name for name, network in project["networks"].items() if (network or {}).get("internal")}
    assert {name for name, one in watchers.items() if set(one["networks"]) - inner} == {
        "grafana",
        "alertmanager",
    }


def test_every_watcher_is_contained(watchers: dict[str, dict[str, Any]]) -> None:
    for name, service in watchers.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert int(service["mem_limit"]) > 0, name
        assert float(service["cpus"]) > 0, name
        assert int(service["pids_limit"]) > 0, name
        assert ":" in service["image"].rpartition("/")[2], f"{name} is not pinned"


def test_who_asks_mongodb_about_itself_knows_the_password_of_its_own_login_only(
    project: dict[str, Any],
) -> None:
    telegraf = project["services"]["telegraf"]
    assert set(telegraf["environment"]) == {"MONGO_WATCHER_PASSWORD"}
    assert telegraf["environment"]["MONGO_WATCHER_PASSWORD"] not in str(telegraf["entrypoint"])


def test_our_programs_tell_the_collector_and_are_named_in_its_logs(project: dict[str, Any]) -> None:
    for name in OURS:
        service = project["services"][name]
        assert service["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otelcol:4318", name
        assert service["logging"]["options"]["tag"] == "{{.Name}}", name
        assert "watching" in service["networks"], name


def test_each_file_that_is_mounted_is_shipped(watchers: dict[str, dict[str, Any]]) -> None:
    for name, service in watchers.items():
        for mounted in service["volumes"]:
            source = Path(mounted.get("source", ""))
            if mounted["type"] == "bind" and "/var/" not in str(source) and str(source) != "/":
                assert (OPS / Path(*source.parts[-2:])).exists() or (OPS / source.name).exists(), name


def test_what_prometheus_asks_is_there_under_that_name(project: dict[str, Any]) -> None:
    for file in ("alertmanager", "exporters", "probes", "programs"):
        for target in yaml.safe_load((OPS / f"prometheus/targets/{file}.yaml").read_text(encoding="utf-8")):
            for address in target["targets"]:
                assert address.split(":")[0] in {*project["services"], "localhost"}


def test_the_programs_that_are_expected_are_those_that_stay_up() -> None:
    expected = yaml.safe_load((OPS / "compose/expected.yaml").read_text(encoding="utf-8"))["groups"]
    named = {rule["labels"]["service"] for group in expected for rule in group["rules"]}
    assert named == {
        *("coinlake-page", "coinlake-producer", "coinlake-spark"),
        *("airflow-scheduler", "airflow-dag-processor"),
    }
    assert {rule["record"] for group in expected for rule in group["rules"]} <= {
        rule.name for rule in rules()
    }
