"""`coinlake new-source` writes what it promises, and over nothing; tests/wheels tries what is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli.calling import program_version
from coinlake_cli.commands.new_source import new_source
from coinlake_cli.output import Output


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def repository(here: Path) -> Path:
    """What new-source knows Coinlake's own repository by, and the line that names its rooms."""
    (here / "libs/sources").mkdir(parents=True)
    (here / "pants.toml").touch()
    (here / "BUILD").write_text('# walls\nSOURCES_AND_STAGES = [\n    "stages/lake",\n]\n')
    return here


def write(name: str, into: Path | None = None) -> None:
    new_source(Settings(folder=Path("unused")), Output(as_json=False), name, into)


def written(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_outside_the_repository_it_is_a_package_of_its_own(here: Path) -> None:
    write("deep_water")
    assert written(here) == {
        f"deep_water/{file}"
        for file in (
            "README.md",
            "pyproject.toml",
            "coinlake_deep_water/__init__.py",
            "coinlake_deep_water/decode.py",
            "coinlake_deep_water/plugin.py",
            "coinlake_deep_water/py.typed",
            "coinlake_deep_water/recordings.py",
            "coinlake_deep_water/recordings/README.md",
            "coinlake_deep_water/recordings/tickers/2026-01-01T000000Z.json",
            "coinlake_deep_water/recordings/tickers/2026-01-01T000000Z.json.headers.json",
            "tests/candle_test.py",
            "tests/contract_test.py",
        )
    }
    project = tomllib.loads((here / "deep_water/pyproject.toml").read_text())["project"]
    assert project["name"] == "coinlake-deep-water"
    assert project["dependencies"] == [f"coinlake~={program_version()}"]
    assert project["entry-points"] == {"coinlake": {"deep_water": "coinlake_deep_water.plugin"}}
    plugin = (here / "deep_water/coinlake_deep_water/plugin.py").read_text()
    assert "class DeepWater:" in plugin
    assert '"""Deep Water for Coinlake' in plugin
    assert len(plugin.splitlines()) < 150


def test_into_says_where(here: Path) -> None:
    write("kraken", into=Path("some/where"))
    assert "some/where/kraken/pyproject.toml" in written(here)


def test_inside_the_repository_it_is_a_room_and_the_line_that_names_rooms_is_told(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "libs")
    write("kraken")
    new = written(repository) - {"pants.toml", "BUILD"}
    assert all(file.startswith(("libs/sources/kraken/", "tests/sources/kraken/")) for file in new)
    assert new > {
        "libs/sources/kraken/BUILD",
        "libs/sources/kraken/README.md",
        "libs/sources/kraken/coinlake_kraken/contract_test.py",
        "libs/sources/kraken/coinlake_kraken/plugin.py",
        "tests/sources/kraken/BUILD",
        "tests/sources/kraken/candle_test.py",
    }
    told = capsys.readouterr().err
    assert f'{repository}/BUILD, behind line 2 (SOURCES_AND_STAGES = […): add "libs/sources/kraken",' in told


def test_a_package_of_its_own_can_be_written_inside_the_repository_too(repository: Path) -> None:
    write("kraken", into=repository / "examples")
    assert "examples/kraken/pyproject.toml" in written(repository)


@pytest.mark.parametrize("name", ["", "Kraken", "3commas", "a-b", "a__b", "_a", "a b", "../a", "class", "ö"])
def test_a_name_that_cannot_be_one_is_refused_with_an_example(here: Path, name: str) -> None:
    with pytest.raises(FixConfiguration, match=r"cannot name a source.* such as kraken"):
        write(name)
    assert not written(here)


def test_a_source_that_exists_is_refused(here: Path) -> None:
    with pytest.raises(FixConfiguration, match="There is a source coingecko already"):
        write("coingecko")


def test_a_name_whose_package_exists_is_refused(here: Path) -> None:
    with pytest.raises(FixConfiguration, match="There is a package coinlake_lake already"):
        write("lake")


def test_nothing_is_written_over(here: Path) -> None:
    (here / "kraken").mkdir()
    with pytest.raises(FixConfiguration, match="kraken is there already"):
        write("kraken")
    assert not written(here)


def test_a_test_that_is_there_already_is_not_written_over(repository: Path) -> None:
    (repository / "tests/sources/kraken").mkdir(parents=True)
    (repository / "tests/sources/kraken/candle_test.py").write_text("mine")
    with pytest.raises(FixConfiguration, match=r"candle_test\.py is there already"):
        write("kraken")
    assert not (repository / "libs/sources/kraken").exists()


def test_a_folder_that_cannot_be_written_is_named(here: Path) -> None:
    (here / "file").touch()
    with pytest.raises(FixConfiguration, match=r"Cannot write .*file/kraken"):
        write("kraken", into=here / "file")
