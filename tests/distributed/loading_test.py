"""From a real Kafka through a real Spark into a real PostgreSQL, killed, stopped and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest

from coinlake.model import Capture, Held
from coinlake_bus.message import Message, encode, without_body
from coinlake_spark.main import AWAY
from distributed.site import Site, let_go, until

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


LAKE = UUID(int=7)
SLOT = datetime(2024, 10, 15, tzinfo=UTC)
PAGE = files("coinlake_coingecko") / "recordings/coins_markets/daily_series/2024-10-15T010057Z.json"
COIN = json.loads(PAGE.read_bytes())[0]


def message(position: int) -> Message:
    """A page of two assets, of the lake's capture at a position."""
    moment = SLOT + timedelta(minutes=3 * position)
    rows = [
        COIN | {"id": asset, "current_price": position, "last_updated": moment.isoformat()}
        for asset in (f"asset-{position}", "bitcoin")
    ]
    capture = Capture(
        source="coingecko",
        dataset="markets",
        slot=moment,
        page=1 + position % 5,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=json.dumps(rows).encode(),
        requested_at=moment,
        received_at=moment + timedelta(seconds=30),
        run_id="",
        plugin_version="1",
        traceparent="",
    )
    return encode(Held(position, capture), LAKE)


def test_it_loads_each_capture_once_whatever_kills_it(site: Site) -> None:
    site.publish(*map(message, range(1, 41)))
    with site.loading() as program:
        until(lambda: site.loaded() >= 40)
        site.publish(*map(message, range(30, 81)))  # some of them again
        until(lambda: site.loaded() > 40)
        program.kill()
    site.publish(*map(message, range(81, 101)))
    with site.loading():
        until(lambda: site.loaded() == 100)
    assert site.rows("SELECT count(*), count(DISTINCT asset) FROM quotes") == [(200, 101)]
    assert site.rows("SELECT position FROM position") == [(100,)]
    assert site.rows("SELECT sum(next_offset) FROM bus_offsets") == [(111,)]


def test_what_is_no_capture_is_a_dead_letter_and_holds_nothing_up(site: Site) -> None:
    stranger = Message(b"key", b"not ours \x00\xff", [])
    site.publish(message(1), stranger, without_body(message(2)), message(3))
    with site.loading():
        until(lambda: site.loaded() == 3)
        until(lambda: len(site.rows("SELECT FROM dead_letters")) == 2)
    letters = site.rows("SELECT split_part(reasons[1], ':', 1), original FROM dead_letters ORDER BY 1")
    assert [(reason, bytes(original)) for reason, original in letters] == [
        ("body_left_out", b""),
        ("not_coinlake", b"not ours \x00\xff"),
    ]
    assert site.rows("SELECT count(*) FROM quotes") == [(4,)]


def test_messages_that_the_topic_let_go_of_are_told_and_hold_nothing_up(site: Site) -> None:
    site.publish(message(1))
    with site.loading():
        until(lambda: site.loaded() == 1)
    site.publish(*(message(position) for position in (6, 11, 16)))  # all of one page, so of one partition
    ((partition, read),) = site.rows("SELECT partition, next_offset FROM bus_offsets WHERE next_offset > 0")
    let_go(site, {partition: read + 2})
    with site.loading() as program:
        until(lambda: site.loaded() == 2)
    assert '"messages": 2' in program.log.read_text()
    assert "Exception" not in program.log.read_text()
    assert site.rows("SELECT position FROM loaded_captures ORDER BY 1") == [(1,), (16,)]
    assert site.rows("SELECT position FROM position") == [(1,)]


def test_without_spark_s_own_process_it_ends_and_says_so(site: Site) -> None:
    site.publish(message(1))
    with site.loading() as program:
        until(lambda: site.loaded() == 1)
        (java,) = subprocess.run(
            ["pgrep", "-P", str(program.pid), "java"], capture_output=True, check=True, text=True
        ).stdout.split()
        os.kill(int(java), signal.SIGKILL)
        until(lambda: not program.runs)
        assert program.end(0) == AWAY
    assert "Spark's process has ended" in program.last_words().splitlines()[-1]


def test_a_spark_that_cannot_start_is_told_in_a_sentence(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin/java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with site.loading() as program:
        until(lambda: not program.runs)
        assert program.end(0) == AWAY
    assert "Spark's process ended while it started" in program.last_words().splitlines()[-1]
