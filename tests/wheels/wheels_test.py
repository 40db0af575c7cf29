"""Someone without this repository installs the wheels, and has a source of their own in minutes."""

from __future__ import annotations

import json
import re
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from coinlake import __version__
from wheels.outsider import Outsider, wheels


@pytest.fixture(scope="module")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Outsider:
    """Somebody who has installed Coinlake, and a plugin that `coinlake new-source` wrote in their folder."""
    somebody = Outsider(tmp_path_factory.mktemp("outsider"))
    somebody("python3.11 -m venv .venv\n. .venv/bin/activate\npip install --quiet coinlake-cli")
    somebody("coinlake new-source kraken\npip install --quiet './kraken[test]'")
    return somebody


@pytest.mark.parametrize("wheel", wheels(), ids=lambda wheel: wheel.name.split("-")[0])
def test_each_wheel_says_what_it_is_and_is_typed(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        names = files.namelist()
        described = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(files.read(described).decode())
    package = wheel.name.split("-")[0]
    assert f"{package}/py.typed" in names
    assert not [name for name in names if name.endswith(("_test.py", "conftest.py"))]
    assert (metadata["Version"], metadata["Requires-Python"]) == (__version__, ">=3.11,<3.12")
    assert metadata["Summary"]
    for needed in metadata.get_all("Requires-Dist", []):
        name, _, _ = needed.partition(";")
        own = name.startswith("coinlake")
        assert name.endswith(f"=={__version__}") if own else (">=" in name and "<" in name), needed


def test_a_deployment_needs_no_test_runner() -> None:
    for wheel in wheels():
        with ZipFile(wheel) as files:
            described = next(name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
            needed = Parser().parsestr(files.read(described).decode()).get_all("Requires-Dist", [])
        assert not [one for one in needed if one.startswith(("pytest", "hypothesis")) and "extra" not in one]


def test_the_installed_program_knows_its_version(outsider: Outsider) -> None:
    assert outsider("coinlake --version") == f"coinlake {__version__}\n"


def test_the_new_plugin_passes_its_own_tests_from_contract_to_candle(outsider: Outsider) -> None:
    said = outsider("(cd kraken; pytest -q)")
    assert re.search(r"^\d+ passed", said, re.MULTILINE)
    assert "skipped" not in said


def test_the_installed_plugin_is_listed(outsider: Outsider) -> None:
    assert {"source": "kraken", "configured": False} in json.loads(outsider("coinlake --json sources"))


def test_the_new_plugin_is_configured_like_any_other(outsider: Outsider) -> None:
    outsider.write("kraken.toml", '[sources.kraken]\nevery = "5m"\n')
    (kraken,) = json.loads(outsider("coinlake --json --config kraken.toml sources"))[:1]
    assert (kraken["source"], kraken["dataset"], kraken["every"]) == ("kraken", "tickers", 300)
    outsider.write("kraken.toml", '[sources.kraken]\nevry = "5m"\n')
    refused = outsider.attempt("coinlake --config kraken.toml sources")
    assert refused.returncode == 3
    assert "sources.kraken.evry: unknown setting 'evry'; did you mean 'every'?" in refused.stderr
