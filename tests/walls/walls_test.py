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
PROGRAM = "apps/cli/coinlake_cli"

ALLOWED = [
    (CORE, "httpx"),
    (CORE, "opentelemetry.sdk.trace"),
    (CORE, "pluggy"),
    (SOURCE, "coinlake.allowed"),
    (SOURCE, "pyarrow"),
    (LAKE, "coinlake.allowed"),
    (REFINE, "coinlake.allowed"),
    (REFINE, "opentelemetry.trace"),
    (WAREHOUSE, "coinlake.allowed"),
    (WAREHOUSE, "psycopg"),
    (PROGRAM, "coinlake.allowed"),
    (PROGRAM, "coinlake_coingecko.allowed"),
    (PROGRAM, "coinlake_warehouse.allowed"),
    (PROGRAM, "nicegui"),
]

FORBIDDEN = [
    (CORE, "coinlake_coingecko.allowed", f"{SOURCE}/allowed.py"),
    (CORE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (CORE, "typer", "3rdparty/main#typer"),
    (SOURCE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (SOURCE, "httpx", "3rdparty/main#httpx"),
    (SOURCE, "opentelemetry.sdk.trace", "3rdparty/main#opentelemetry-sdk"),
    (LAKE, "coinlake_refine.allowed", f"{REFINE}/allowed.py"),
    (LAKE, "coinlake_cli.allowed", f"{PROGRAM}/allowed.py"),
    (REFINE, "coinlake_coingecko.allowed", f"{SOURCE}/allowed.py"),
    (REFINE, "psycopg", "3rdparty/main#psycopg"),
    (WAREHOUSE, "coinlake_lake.allowed", f"{LAKE}/allowed.py"),
    (WAREHOUSE, "pluggy", "3rdparty/main#pluggy"),
    (PROGRAM, "psycopg", "3rdparty/main#psycopg"),
    (PROGRAM, "httpx", "3rdparty/main#httpx"),
    (PROGRAM, "pytest", "3rdparty/main#pytest"),
]


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the walls' linter says about those imports, under the real build files."""
    here, build_root = Path.cwd(), tmp_path_factory.mktemp("build root")
    for name in ("BUILD", "pants", "pants.toml"):
        shutil.copy(here / name, build_root)
    for name in ("3rdparty", "build-support", "pants-plugins"):
        shutil.copytree(here / name, build_root / name)
    modules = defaultdict(list)
    for room, imported in ALLOWED:
        modules[f"{room}/allowed.py"].append(f"import {imported}\n")
    for room, imported, _ in FORBIDDEN:
        modules[f"{room}/forbidden.py"].append(f"import {imported}\n")
    for path, lines in modules.items():
        module = build_root / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("".join(lines))
        build_file = module.parent.parent / "BUILD"
        shutil.copy(here / build_file.relative_to(build_root), build_file)
    return subprocess.run(
        ["./pants", "--no-pantsd", "lint", "--only=walls", "libs::", "stages::", "apps::"],
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
    crossing = r"python_sources ([^\s:]+)\S* -> python_\w+ ([^\s:]+)"
    assert set(re.findall(crossing, linted.stderr)) == {
        (f"{room}/forbidden.py", target) for room, _, target in FORBIDDEN
    }
