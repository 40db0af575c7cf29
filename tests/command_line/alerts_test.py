"""`coinlake run` watches what it does and tells who wants to know, by a real webhook."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake.clock import SystemClock
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_cli.alerts.episodes import Episodes
from coinlake_cli.alerts.notices_test import KEY, Webhook, until
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from coinlake_lake.sqlite import SqliteLake
from command_line.program import Program

STOP_S = 10


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    yield webhook
    webhook.close()


@pytest.fixture
def program(tmp_path: Path, webhook: Webhook) -> Iterator[Program]:
    with ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as venue:
        sources = f'[sources.coingecko]\nroot = "{venue.root}"\n'
        alerts = '[alerts]\nnotify_file = "addresses"\n'
        (tmp_path / "coinlake.toml").write_text(f'folder = "here"\n{sources}{alerts}')
        (tmp_path / "addresses").write_text(webhook.url)
        yield Program(tmp_path)


def captured(folder: Path) -> bool:
    """Whether something was captured."""
    if not (folder / "lake.db").exists():
        return False
    with SqliteLake(folder / "lake.db") as lake:
        return lake.end() > 0


def started(program: Program) -> subprocess.Popen[str]:
    """The program, once its page is there."""
    running = program.start("run", "--port", "0")
    assert running.stderr is not None
    assert any("The page: " in line for line in running.stderr)
    return running


def stop(running: subprocess.Popen[str]) -> str:
    """All it said, once it was told to stop and did."""
    running.send_signal(signal.SIGTERM)
    said = "".join(running.communicate(timeout=STOP_S))
    assert running.returncode == 0, said
    assert "Traceback" not in said
    return said


def test_what_was_wrong_before_a_kill_is_over_and_both_are_told_once(
    program: Program, webhook: Webhook
) -> None:
    folder = program.home / "here"
    running = started(program)
    until(lambda: captured(folder))
    running.kill()
    running.communicate()
    with Episodes(folder) as episodes:
        began_at = datetime.now(UTC) - timedelta(minutes=30)
        episodes.begin("FeedStale", "coingecko/markets", "ticket", "nothing came", began_at)
    for _ in range(2):
        running = started(program)
        until(lambda: "Coinlake: FeedStale: coingecko/markets is over" in webhook.took)
        said = stop(running)
        assert KEY not in said
    assert webhook.took == [
        "Coinlake: FeedStale: coingecko/markets",
        "Coinlake: FeedStale: coingecko/markets is over",
    ]


def test_a_webhook_that_hangs_stops_neither_capturing_nor_the_end(program: Program, webhook: Webhook) -> None:
    webhook.first(*["hang"] * 99)
    folder = program.home / "here"
    running = started(program)
    with Episodes(folder) as episodes:
        episodes.begin("FeedStale", "gone/feed", "ticket", "nothing came", datetime.now(UTC))
    until(lambda: bool(webhook.asked))
    until(lambda: captured(folder))
    told_at_s = time.monotonic()
    assert KEY not in stop(running)
    assert time.monotonic() - told_at_s < STOP_S
    assert webhook.took == []


def test_an_address_that_cannot_be_used_stops_the_start_and_is_not_shown(program: Program) -> None:
    (program.home / "addresses").write_text(f"https://example.com/{KEY}")
    done = program("run", "--port", "0")
    assert done.returncode == 3
    assert "address 1 of alerts.notify" in done.stderr
    assert KEY not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_in_the_distributed_profile_it_is_said_who_watches(program: Program) -> None:
    settings = program.home / "coinlake.toml"
    settings.write_text('profile = "distributed"\n' + settings.read_text())
    done = program("run", "--port", "0")
    assert done.returncode == 3
    assert "watched by Prometheus" in " ".join(done.stderr.split())
