"""What a scheduler asks of the program: the catalogue, one slot and no other, and loading by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coinlake.clock import SystemClock
from coinlake.testing.faults import Fault
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from command_line.program import TIMEOUT_S, Program

BROKEN = "raise RuntimeError('this venue has moved')\n"


@pytest.fixture
def venue() -> Iterator[ReplayServer]:
    with ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, venue: ReplayServer) -> Program:
    return asking(Program(tmp_path), venue)


def asking(program: Program, venue: ReplayServer, settings: str = "") -> Program:
    """The program with a venue in place of CoinGecko: a cadence that no test outlasts."""
    coingecko = f'[sources.coingecko]\nroot = "{venue.root}"\nevery = "7d"\n'
    (program.home / "coinlake.toml").write_text(settings + coingecko)
    return program


def captured(program: Program, slot: datetime, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a capture of CoinGecko's slot, and its document."""
    done = program("--json", "capture", "coingecko", "markets", "--slot", slot.isoformat(), *options)
    (document,) = json.loads(done.stdout)
    return done.returncode, document


def test_a_slot_is_asked_for_once_however_often_it_is_captured(program: Program, venue: ReplayServer) -> None:
    code, first = captured(program, datetime.now(UTC))
    assert (code, first["outcome"]) == (0, "captured")
    assert first["new"] == first["captures"] == venue.calls > 0
    code, again = captured(program, datetime.now(UTC))
    assert (code, again["outcome"], again["new"]) == (0, "had", 0)
    assert (again["captures"], venue.calls) == (first["captures"], first["captures"])


def test_tasks_that_ask_for_one_slot_at_once_ask_the_venue_once(
    program: Program, venue: ReplayServer
) -> None:
    slot = datetime.now(UTC).isoformat()
    tasks = [
        program.start("--json", "capture", "coingecko", "markets", "--no-load", "--slot", slot)
        for _ in range(4)
    ]
    (documents,) = zip(*(json.loads(task.communicate(timeout=TIMEOUT_S)[0]) for task in tasks), strict=True)
    assert sorted(document["outcome"] for document in documents) == ["captured", "had", "had", "had"]
    assert sum(document["new"] for document in documents) == venue.calls > 0


@pytest.mark.parametrize("names", [("coingekko",), ("binance",), ("coingecko", "market")])
def test_a_name_of_nothing_is_refused_before_a_folder_is_made(program: Program, names: tuple[str]) -> None:
    done = program("--folder", "a lake", "capture", *names)
    assert done.returncode == 3
    assert names[-1] in done.stderr
    assert not (program.home / "a lake").exists()


def test_a_slot_that_has_passed_is_not_given_the_present_answer_of_a_venue_without_a_past(
    program: Program, venue: ReplayServer
) -> None:
    code, document = captured(program, datetime.now(UTC) - timedelta(days=14))
    assert (code, document["outcome"], venue.calls) == (5, "passed", 0)
    assert "has passed" in document["trouble"]


def test_a_slot_that_is_still_to_come_is_refused(program: Program, venue: ReplayServer) -> None:
    done = program("capture", "coingecko", "markets", "--slot", "2999-01-01")
    assert (done.returncode, venue.calls) == (3, 0)
    assert "is still to come" in done.stderr


def test_a_ban_is_told_as_held_with_its_end(tmp_path: Path) -> None:
    ban = Fault("ban", after_s=14 * 86400)
    with ReplayServer([], CoinGeckoMimic(), SystemClock(), faults=[ban]) as venue:
        code, document = captured(asking(Program(tmp_path), venue), datetime.now(UTC))
    assert (code, document["outcome"]) == (4, "held")
    assert datetime.fromisoformat(document["until"]) > datetime.now(UTC) + timedelta(hours=1)


def test_what_is_captured_without_loading_is_loaded_by_load_once(program: Program) -> None:
    _, document = captured(program, datetime.now(UTC), "--no-load")
    parts = json.loads(program("--json", "status").stdout)["parts"]
    assert parts["captures not loaded yet"] == document["new"]
    for new in (document["new"], 0):
        loaded = json.loads(program("--json", "load").stdout)
        assert loaded == {"captures": document["new"], "new": new}


def test_what_is_captured_without_loading_needs_no_warehouse(tmp_path: Path, venue: ReplayServer) -> None:
    nowhere = {"COINLAKE_WAREHOUSE__DSN": "postgresql://nobody@127.0.0.1:1/nothing"}
    program = asking(Program(tmp_path, nowhere), venue)
    code, document = captured(program, datetime.now(UTC), "--no-load")
    assert (code, document["outcome"]) == (0, "captured")
    assert program("capture", "coingecko", "markets").returncode == 4


def test_a_broken_plugin_is_told_in_the_catalogue_and_costs_no_capture_of_the_others(
    program: Program, venue: ReplayServer
) -> None:
    (program.home / "moved_venue.py").write_text(BROKEN)
    asking(program, venue, 'plugins = ["moved_venue"]\n')
    done = program("catalogue", "-o", "catalogue.json")
    assert done.returncode == 0, done.stderr
    catalogue = json.loads((program.home / "catalogue.json").read_text())
    assert [(feed["source"], feed["every_s"]) for feed in catalogue["feeds"]] == [("coingecko", 7 * 86400)]
    (broken,) = catalogue["broken"]
    assert "Plugin moved_venue cannot be loaded: RuntimeError: this venue has moved" in broken

    code, document = captured(program, datetime.now(UTC), "--no-load")
    assert (code, document["outcome"]) == (0, "captured")
    assert program("load").returncode == 3

    asking(program, venue, 'plugins = ["moved_venue"]\n[sources.moved]\n')
    done = program("capture", "moved", "--no-load")
    assert done.returncode == 3
    assert "The source 'moved' is left out" in done.stderr
    assert "this venue has moved" in done.stderr


def test_the_catalogue_says_which_datasets_have_a_past(program: Program) -> None:
    settings = program.home / "coinlake.toml"
    settings.write_text(settings.read_text() + "[sources.binance]\n")
    feeds = json.loads(program("--json", "catalogue").stdout)["feeds"]
    assert {feed["dataset"]: feed["has_past"] for feed in feeds} == {
        "markets": False,
        "ticker": False,
        "klines": True,
        "instruments": False,
    }
