"""What the docs say is so: links lead somewhere, settings exist, examples run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.core import TyperGroup
from typer.main import get_command

from coinlake.settings import Settings, Table, load
from coinlake.testing import SourceContract, StageContract
from coinlake_binance.settings import BinanceSettings
from coinlake_cli.main import app
from coinlake_coinbase.settings import CoinbaseSettings
from coinlake_coingecko.settings import CoinGeckoSettings

ROOT = Path()
"""Tests run at the root of the repository."""

DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(file: Path, language: str) -> list[str]:
    """The fenced blocks of a language in a Markdown file."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every setting below a table, with its default."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Table):
            yield from settings_of(kind, f"{prefix}{name}.")
        elif name != "sources":
            yield prefix + name, None if field.default is PydanticUndefined else field.default


def commands_of(group: TyperGroup, within: str = "") -> Iterator[str]:
    """The commands of a group, each with the groups that it is within."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands_of(command, f"{within}{name} ")
        else:
            yield within + name


@pytest.mark.parametrize("file", DOCS, ids=str)
def test_every_link_within_the_repository_leads_to_a_file_or_heading(file: Path) -> None:
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (file.parent / path) if path else file
        assert linked.exists(), f"{file} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}, target


def test_every_setting_is_listed_with_its_default() -> None:
    listed = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for name, default in settings_of(Settings):
        row = re.search(rf"^\| `{re.escape(name)}` \| (.*?) \|", listed, re.MULTILINE)
        assert row, f"docs/configuration.md does not list {name}"
        if isinstance(default, int | float) and default is not None:
            assert row[1] == f"`{default:g}`" if default < 1e6 else row[1] == f"`{default}`", name
    for source, table in (
        ("binance", BinanceSettings),
        ("coinbase", CoinbaseSettings),
        ("coingecko", CoinGeckoSettings),
    ):
        rows = listed.split(f"### `sources.{source}`")[1].split("###")[0]
        for name in table.model_fields:
            assert f"| `{name}` |" in rows, f"docs/configuration.md does not list sources.{source}.{name}"


def test_the_readmes_settings_are_taken_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks(ROOT / "README.md", "toml")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".coingecko").write_text("a-key")
    (tmp_path / ".coinlake-dsn").write_text("postgresql://someone@127.0.0.1/prices")
    (tmp_path / "coinlake.toml").write_text(example)
    settings = load(tmp_path / "coinlake.toml")
    coingecko = CoinGeckoSettings.model_validate(settings.sources["coingecko"])
    assert coingecko.api_key is not None
    assert coingecko.top == tomllib.loads(example)["sources"]["coingecko"]["top"]


def test_the_readme_lists_exactly_the_commands_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("## Commands")[1].split("## ")[0]
    listed = set(re.findall(r"^\| `([\w -]+)` \|", table, re.MULTILINE))
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    assert listed == set(commands_of(program))


@pytest.mark.parametrize("contract", [SourceContract, StageContract])
def test_a_contract_is_listed_check_by_check(contract: type) -> None:
    sources, steps = (
        (ROOT / "docs/contract.md").read_text(encoding="utf-8").split("\n# The contract of steps\n")
    )
    listed = sources if contract is SourceContract else steps
    checks = {name for name in dir(contract) if name.startswith("test_")}
    assert set(re.findall(r"^\| `(test_\w+)` \| ", listed, re.MULTILINE)) == checks


def test_the_source_tutorials_code_runs() -> None:
    for block in blocks(ROOT / "docs/sources.md", "python"):
        exec(compile(block, "docs/sources.md", "exec"), {})
