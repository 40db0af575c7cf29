"""Retention by the program: only what was proven right leaves, and the proof still holds afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line.program import Program

KEEP = {"COINLAKE_WAREHOUSE__KEEP_QUOTES": "14d"}
PRICES = "SELECT count(*) FROM quotes"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """In a home where the demo has been run once: its two months of days are the deployment."""
    program = Program(tmp_path_factory.mktemp("a home"), KEEP)
    done = program("demo", "--once", "--seconds", "2", "--port", "0")
    assert done.returncode == 0, done.stderr
    return program


def counted(program: Program) -> int:
    (row,) = json.loads(program("--demo", "--json", "query", PRICES).stdout)
    return int(row["count"])


def test_without_a_length_of_time_nothing_is_pruned(tmp_path: Path) -> None:
    done = Program(tmp_path)("prune")
    assert done.returncode == 3
    assert "Quotes are kept for good, as warehouse.keep_quotes is not set" in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_leaves_while_lake_and_warehouse_do_not_agree(program: Program) -> None:
    (lake,) = program.home.rglob("lake.db")
    before, whole = counted(program), lake.read_bytes()
    lake.write_bytes(whole.replace(b'"current_price":', b'"current_prise":', 1))
    done = program("--demo", "prune")
    lake.write_bytes(whole)
    assert done.returncode == 1
    assert "Nothing is pruned, as lake and warehouse do not agree" in done.stderr
    assert counted(program) == before


def test_months_that_are_old_enough_leave_and_what_stays_is_still_proven(program: Program) -> None:
    before = counted(program)
    done = program("--demo", "--json", "prune")
    assert done.returncode == 0, done.stderr
    gone = json.loads(done.stdout)["pruned"]
    assert counted(program) == before - sum(month["quotes"] for month in gone) < before
    assert json.loads(program("--demo", "--json", "verify").stdout)["clean"]
    assert json.loads(program("--demo", "--json", "prune").stdout)["pruned"] == []
