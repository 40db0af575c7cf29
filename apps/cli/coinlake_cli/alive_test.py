"""A check of health beside `coinlake run`: it tells standing still from refusal, and leaves no trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake.state import State
from coinlake_cli.alive import trouble


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINLAKE_FOLDER", str(tmp_path / "lake"))
    return tmp_path / "lake"


def tried(folder: Path, ago: timedelta) -> None:
    with State(folder) as state:
        state.attempted("coingecko", "markets", cadence_s=180, at=datetime.now(UTC) - ago)


def test_before_the_program_has_begun_it_says_so_and_makes_nothing(folder: Path) -> None:
    assert "No program has begun" in (trouble() or "")
    assert not folder.exists()


def test_a_feed_that_was_tried_is_well_though_its_venue_refused(folder: Path) -> None:
    tried(folder, timedelta(minutes=5))
    with State(folder) as state:
        state.failed("coingecko", "markets", slot=datetime.now(UTC), error="refused")
    assert trouble() is None


def test_a_feed_that_nobody_tries_any_more_is_named(folder: Path) -> None:
    tried(folder, timedelta(minutes=9))
    assert trouble() == "Not tried in time: coingecko/markets."
