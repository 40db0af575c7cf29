"""The pages for who runs the distributed profile: the tests, commands and messages they name exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from coinlake.settings import Settings, Table
from coinlake_cli.main import app

ROOT = Path()
"""Tests run at the root of the repository."""

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_OUR_TESTS = [file for file in DOCS if not file.name.startswith("write-a-")]
"""The tutorials name tests that their reader writes."""
PROMISES = ROOT / "docs/promises.md"
OPERATIONS = ROOT / "docs/operations.md"

_TEST = re.compile(r"`((?:[\w.-]+/)+\w+_test\.py)::(test_\w+)`")
_TEST_FILE = re.compile(r"`((?:[\w.-]+/)+\w+_test\.py)`")
_COMMAND = re.compile(r"(?:(?:^|[`\s])coinlake|apps/cli:coinlake --) ((?:--?\w|[a-z])[^`\n#|;&]*)")
_MESSAGE = re.compile(r"“([^”]+)”")
_NAME = re.compile(r"`((?:bus|lake|producing|spark|warehouse)\.\w+)(?: = [^`]+)?`")
_VARIABLE = re.compile(r"COINLAKE_([A-Z]+)__([A-Z_]+)")


@pytest.mark.parametrize("file", OF_OUR_TESTS, ids=str)
def test_every_test_that_a_page_names_exists(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for path in _TEST_FILE.findall(text):
        assert (ROOT / path).is_file(), f"{file} names {path}"
    for path, name in _TEST.findall(text):
        assert name in names_of_tests(ROOT / path), f"{file} names {path}::{name}"


def test_every_hop_has_its_promise_shown_by_tests() -> None:
    table, _, sections = PROMISES.read_text(encoding="utf-8").partition("\n## ")
    hops = re.findall(r"^\| \[([^]]+)\]\(#", table, re.MULTILINE)
    assert hops
    for hop in hops:
        (section,) = re.findall(rf"(?:^|\n## ){re.escape(hop)}\n(.*?)(?=\n## |\Z)", sections, re.DOTALL)
        assert _TEST.search(section), f"no test shows what is promised of {hop}"


@pytest.mark.parametrize("file", DOCS, ids=str)
def test_every_command_and_option_that_a_page_names_exists(file: Path) -> None:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    for line in _COMMAND.findall(file.read_text(encoding="utf-8")):
        assert not unknown(program, line.split()), f"{file}: coinlake {line}"


def test_every_message_that_is_to_be_looked_for_is_one_that_a_program_prints() -> None:
    messages = _MESSAGE.findall(OPERATIONS.read_text(encoding="utf-8"))
    assert messages
    for message in messages:
        assert message.strip() in said(), f"no program says {message}"


@pytest.mark.parametrize("file", [OPERATIONS, PROMISES, ROOT / "docs/distributed.md"], ids=str)
def test_every_setting_and_event_that_a_page_names_exists(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for name in _NAME.findall(text):
        assert name in settings() or name in said(), f"{file} names {name}"
    for table, name in _VARIABLE.findall(text):
        assert f"{table}.{name}".lower() in settings(), f"{file} names {table}.{name}"


@cache
def names_of_tests(file: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions}


@cache
def settings() -> set[str]:
    """Every setting that stands in a table, as `table.name`."""
    tables = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {
        f"{table}.{name}"
        for table, kind in tables.items()
        if isinstance(kind, type) and issubclass(kind, Table)
        for name in kind.model_fields
    }


@cache
def said() -> str:
    """Every text in the code, each on a line of its own; what is put in at run time is left out."""
    return "\n".join(
        text
        for room in ("libs/core", "stages", "apps")
        for file in sorted((ROOT / room).rglob("*.py"))
        if not file.name.endswith("_test.py")
        for text in texts(ast.parse(file.read_text(encoding="utf-8")))
    )


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, in pieces where something is put in between."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def unknown(command: TyperGroup | TyperCommand, words: list[str]) -> str | None:
    """The first word that is neither a command nor an option where it stands; None where all are known."""
    while words:
        word, *words = words
        if word.startswith("-"):
            name, _, value = word.partition("=")
            option = next((one for one in command.params if name in one.opts), None)
            if not isinstance(option, TyperOption):
                return word
            if not option.is_flag and not value:
                words = words[1:]
        elif isinstance(command, TyperGroup):
            found = command.commands.get(word)
            if not isinstance(found, TyperGroup | TyperCommand):
                return word
            command = found
    return None
