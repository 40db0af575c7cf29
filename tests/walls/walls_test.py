"""The walls of design.md are kept by Pants: `./pants lint` names both ends of every import over one.

The build files are the real ones; the code is two modules in each room, one with imports that the design
allows and one with imports that it forbids.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

CORE = "libs/core/coinlake"
SOURCE = "libs/sources/coingecko/coinlake_coingecko"
LAKE = "stages/lake/coinlake_lake"
REFINE = "stages/refine/coinlake_refine"
WAREHOUSE = "stages/warehouse/coinlake_warehouse"
BUS = "stages/bus/coinlake_bus"
PRODUCER = "apps/producer/coinlake_producer"
SPARK = "apps/spark/coinlake_spark"
PROGRAM = "apps/cli/coinlake_cli"
SCHEDULER = "apps/airflow/coinlake_airflow"
EXAMPLE = "examples/quote-in-eur/coinlake_quote_in_eur"
SERVERS = "tests/servers"

ALLOWED = [
    (CORE, "httpx"),
    (CORE, "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
    (CORE, "opentelemetry.sdk.trace"),
    (CORE, "pluggy"),
    (SOURCE, "coinlake.allowed"),
    (SOURCE, "pyarrow"),
    (LAKE, "coinlake.allowed"),
    (LAKE, "pymongo"),
    (BUS, "coinlake.allowed"),
    (BUS, "confluent_kafka"),
    (REFINE, "coinlake.allowed"),
    (REFINE, "opentelemetry.trace"),
    (WAREHOUSE, "coinlake.allowed"),
    (WAREHOUSE, "psycopg"),
    (PROGRAM, "coinlake.allowed"),
    (PROGRAM, "coinlake_coingecko.allowed"),
    (PROGRAM, "coinlake_warehouse.allowed"),
    (PROGRAM, "nicegui"),
    (PRODUCER, "coinlake_bus.allowed"),
    (SPARK, "coinlake_warehouse.allowed"),
    (SCHEDULER, "airflow.sdk"),
    (EXAMPLE, "coinlake.allowed"),
    (EXAMPLE, "pyarrow"),
]

ALLOWED_IN_TESTS = [
    (LAKE, "servers.allowed"),
    (PROGRAM, "servers.allowed"),
]

FORBIDDEN = [
    (CORE, "coinlake_coingecko.allowed", f"{SOURCE}/allowed.py"),
    (CORE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (CORE, "typer", "3rdparty/main#typer"),
    (SOURCE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (SOURCE, "httpx", "3rdparty/main#httpx"),
    (SOURCE, "opentelemetry.sdk.trace", "3rdparty/main#opentelemetry-sdk"),
    (LAKE, "confluent_kafka", "3rdparty/main#confluent-kafka"),
    (BUS, "pymongo", "3rdparty/main#pymongo"),
    (BUS, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (PRODUCER, "confluent_kafka", "3rdparty/main#confluent-kafka"),
    (PRODUCER, "pymongo", "3rdparty/main#pymongo"),
    (SPARK, "psycopg", "3rdparty/main#psycopg"),
    (SPARK, "coinlake_producer.allowed", f"{PRODUCER}/allowed.py"),
    (LAKE, "coinlake_refine.allowed", f"{REFINE}/allowed.py"),
    (LAKE, "coinlake_cli.allowed", f"{PROGRAM}/allowed.py"),
    (LAKE, "servers.allowed", f"{SERVERS}/allowed.py"),
    (REFINE, "coinlake_coingecko.allowed", f"{SOURCE}/allowed.py"),
    (REFINE, "psycopg", "3rdparty/main#psycopg"),
    (WAREHOUSE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (WAREHOUSE, "pluggy", "3rdparty/main#pluggy"),
    (PROGRAM, "psycopg", "3rdparty/main#psycopg"),
    (PROGRAM, "httpx", "3rdparty/main#httpx"),
    (
        PROGRAM,
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "3rdparty/main#opentelemetry-exporter-otlp-proto-http",
    ),
    (PROGRAM, "pytest", "3rdparty/main#pytest"),
    (EXAMPLE, "coinlake_refine.allowed", f"{REFINE}/allowed.py"),
    (EXAMPLE, "pluggy", "3rdparty/main#pluggy"),
    (PROGRAM, "servers.allowed", f"{SERVERS}/allowed.py"),
]


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the walls' linter says about those imports, under the real build files."""
    here, build_root = Path.cwd(), tmp_path_factory.mktemp("build root")
    for name in ("BUILD", "pants", "pants.toml"):
        shutil.copy(here / name, build_root)
    for name in ("3rdparty", "build-support", "ops", "pants-plugins"):
        shutil.copytree(here / name, build_root / name)
    modules = defaultdict(list)
    for room, imported in ALLOWED:
        modules[f"{room}/allowed.py"].append(f"import {imported}\n")
    for room, imported in ALLOWED_IN_TESTS:
        modules[f"{room}/allowed_test.py"].append(f"import {imported}\n")
    for room, imported, _ in FORBIDDEN:
        modules[f"{room}/forbidden.py"].append(f"import {imported}\n")
    for path, lines in modules.items():
        module = build_root / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("".join(lines))
        home = module.parent.parent
        for file in (here / home.relative_to(build_root)).iterdir():
            if file.name in ("BUILD", "Dockerfile"):
                shutil.copy(file, home)
    (build_root / SERVERS).mkdir(parents=True)
    (build_root / SERVERS / "BUILD").write_text("python_sources()\n")
    (build_root / SERVERS / "allowed.py").touch()
    return subprocess.run(
        ["./pants", "--no-pantsd", "lint", "--only=walls", "libs::", "stages::", "apps::", "examples::"],
        cwd=build_root,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_an_import_over_a_wall_fails_lint(linted: subprocess.CompletedProcess[str]) -> None:
    assert linted.returncode == 1, linted.stderr
    assert "✕ walls failed." in linted.stderr


def test_lint_names_both_ends_of_every_import_over_a_wall_and_of_no_other(
    linted: subprocess.CompletedProcess[str],
) -> None:
    crossing = r"python_\w+ ([^\s:]+)\S* -> python_\w+ ([^\s:]+)"
    assert set(re.findall(crossing, linted.stderr)) == {
        (f"{room}/forbidden.py", target) for room, _, target in FORBIDDEN
    }
