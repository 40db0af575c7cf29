"""What ops/compose promises of every container, told from its files as Docker Compose reads them."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coinlake.settings import load
from coinlake_cli import environment
from compose.resolved import COMPOSE, laid_out, resolved

Services = dict[str, dict[str, Any]]
GIBIBYTE = 1024**3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def project(place: Path) -> dict[str, Any]:
    return resolved(place, "compose.yaml")


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> Services:
    found: Services = project["services"]
    return found


def staying(services: Services) -> Services:
    """Those that stay up."""
    return {name: one for name, one in services.items() if one["restart"] == "unless-stopped"}


def test_every_variable_is_declared_and_every_declared_one_is_used() -> None:
    text = "".join(
        (COMPOSE / file).read_text(encoding="utf-8") for file in ("compose.yaml", "observability.yaml")
    )
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", text)) | set(re.findall(r"^  (COINLAKE_\w+):$", text, re.M))
    assert used == {variable.name for variable in environment.variables()}


def test_the_example_is_what_the_declaration_makes() -> None:
    example = (COMPOSE / ".env.example").read_text(encoding="utf-8")
    assert example == environment.written(with_secrets=False), (
        "run what apps/cli/coinlake_cli/environment.py says"
    )


@pytest.mark.parametrize("secret", [one.name for one in environment.variables() if one.made])
def test_nothing_starts_without_a_secret_and_the_refusal_says_what_to_do(secret: str, tmp_path: Path) -> None:
    place = laid_out(tmp_path)
    text = (place / ".env").read_text()
    (place / ".env").write_text(re.sub(rf"^{secret}=.*\n", "", text, flags=re.MULTILINE))
    with pytest.raises(ValueError, match=f"{secret}.*coinlake env init writes it"):
        resolved(place, "compose.yaml", "observability.yaml")


def test_the_files_hold_no_secret_and_each_container_is_given_its_own_only(
    place: Path, services: Services
) -> None:
    given = environment.read(place / ".env")
    for file in (one for one in place.rglob("*") if one.is_file() and one.name != ".env"):
        assert not any(value in file.read_text(encoding="utf-8") for value in given.values()), file
    known = {
        name: {secret for secret, value in given.items() if value in str(service)}
        for name, service in services.items()
    }
    assert known["producer"] == {"MONGO_READER_PASSWORD", "KAFKA_PRODUCER_PASSWORD"}
    assert known["spark"] == {"KAFKA_SPARK_PASSWORD", "WAREHOUSE_LOADER_PASSWORD"}
    for name in ("MONGO_ROOT_PASSWORD", "POSTGRES_PASSWORD"):
        assert {one for one in staying(services) if name in known[one]} <= {"postgres"}
    for name, service in services.items():
        told = [service.get("command"), service.get("entrypoint"), service.get("healthcheck")]
        assert not any(value in str(told) for value in given.values()), (
            f"{name} has a secret in its arguments"
        )


def test_only_the_two_pages_are_published_and_on_loopback(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"page", "airflow-api-server"}
    for ports in published.values():
        assert all(ipaddress.ip_address(port["host_ip"]).is_loopback for port in ports)


def test_only_what_publishes_or_captures_is_on_a_network_that_leads_out(
    project: dict[str, Any], services: Services
) -> None:
    inner = {name for name, network in project["networks"].items() if (network or {}).get("internal")}
    outer = {name for name, service in services.items() if set(service.get("networks") or ()) - inner}
    assert outer == {"page", "airflow-api-server", "airflow-scheduler"}
    assert not any(service.get("network_mode") == "host" for service in services.values())


def test_every_container_is_contained(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["init"], name
        assert service["cap_drop"] == ["ALL"], name
        assert not service.get("cap_add"), name
        assert not service.get("privileged"), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"]["driver"] == "json-file", name
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name
        assert int(service["mem_limit"]) > 0, name
        assert float(service["cpus"]) > 0, name
        assert int(service["pids_limit"]) > 0, name


def test_what_stays_up_is_asked_after_its_health_and_has_time_to_end(services: Services) -> None:
    assert len(staying(services)) == 9
    for name, service in staying(services).items():
        assert service["healthcheck"]["interval"], name
        assert not service["healthcheck"].get("disable"), name
        assert service["stop_grace_period"] == "1m0s", name


def test_all_that_stays_up_may_have_8_gib_of_memory_at_most(services: Services) -> None:
    allowed = sum(int(service["mem_limit"]) for service in staying(services).values())
    assert allowed <= 8 * GIBIBYTE, f"{allowed / GIBIBYTE:.2f} GiB"


def test_every_image_of_others_is_pinned_by_its_version(services: Services) -> None:
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d+\.\d+", tag), f"{name}: {service['image']}"


def test_what_needs_another_waits_for_it(services: Services) -> None:
    once = {name for name, one in services.items() if one["restart"] == "no" and not one.get("profiles")}
    waited_for = {
        needed: needs["condition"]
        for service in services.values()
        for needed, needs in (service.get("depends_on") or {}).items()
    }
    assert once <= set(waited_for), "`up --wait` takes the end of these for a failure"
    for needed, condition in waited_for.items():
        expected = "service_completed_successfully" if needed in once else "service_healthy"
        assert condition == expected, needed


def test_the_settings_are_what_coinlake_takes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tomllib.loads((place / "coinlake.toml").read_text())["profile"] == "distributed"
    monkeypatch.setenv("COINLAKE_BUS__USERNAME", "anybody")
    monkeypatch.setenv("COINLAKE_BUS__PASSWORD", "any")
    assert load(place / "coinlake.toml").bus.servers == "kafka:9092"
