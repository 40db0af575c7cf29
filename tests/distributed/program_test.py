"""The program `coinlake` on the distributed profile: the same commands, on MongoDB, Kafka and PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from coinlake.clock import SystemClock
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_bus.kafka import Bus
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from command_line.program import TIMEOUT_S, Program
from distributed.site import Site, let_go, until
from servers.mongod import Mongo

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


_SETTINGS = """
profile = "distributed"

[sources.coingecko]
root = "{root}"
{others}
"""


@pytest.fixture
def program(site: Site, mongo_replica_set: Mongo) -> Iterator[Program]:
    """The program with servers of its own, none of them made ready, and a venue that repeats its answers."""
    lake_url = urlsplit(mongo_replica_set.uri)._replace(path=f"/{uuid4().hex}").geturl()
    file = site.folder / "coinlake.toml"
    with ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as venue:
        file.write_text(_SETTINGS.format(root=venue.root, others=file.read_text()))
        servers = {"COINLAKE_LAKE__URL": lake_url, "COINLAKE_WAREHOUSE__DSN": site.dsn}
        yield Program(site.folder, servers)


@contextmanager
def publishing(program: Program) -> Iterator[None]:
    """The producer as a process, told to stop at the end."""
    command = [sys.executable, "-m", "coinlake_producer.main"]
    producer = subprocess.Popen(command, cwd=program.home, env=program.variables())
    try:
        yield
        producer.terminate()
        assert producer.wait(TIMEOUT_S) == 0
    finally:
        producer.kill()
        producer.wait()


def shown(program: Program, *command: str) -> Any:
    """What a command shows, as a document."""
    done = program("--json", *command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lags(program: Program) -> list[tuple[int, bool, int | None]]:
    """Of each hop: captures that have not made it, whether they wait, and messages not read."""
    hops = shown(program, "status")["hops"]
    assert [hop["hop"] for hop in hops] == ["lake to topic", "topic to warehouse"]
    assert [hop["trouble"] for hop in hops] == [None, None]
    return [(hop["captures"], hop["behind"] > 0, hop["messages"]) for hop in hops]


def test_init_makes_lake_and_topic_and_the_second_time_nothing(program: Program) -> None:
    topic = program.environment["COINLAKE_BUS__TOPIC"] = f"captures.{uuid4()}"
    assert shown(program, "lake", "init")[0].startswith("Made the lake ")
    assert shown(program, "lake", "init") == ["The lake is as it should be."]
    (made,) = shown(program, "bus", "init")
    assert made.startswith(f"topic {topic}: made with 3 partitions")
    assert shown(program, "bus", "init") == [f"topic {topic}: is as it should be"]


def test_a_capture_goes_from_hop_to_hop_and_status_says_where_it_is(site: Site, program: Program) -> None:
    shown(program, "lake", "init")
    (captured,) = shown(program, "capture")
    new = captured["new"]
    assert new > 0
    assert lags(program) == [(new, True, None), (0, False, 0)]

    with publishing(program):
        until(lambda: lags(program)[0][0] == 0)
    assert lags(program) == [(0, False, None), (new, True, new)]

    with site.loading():
        until(lambda: site.loaded() == new)
    assert lags(program) == [(0, False, None), (0, False, 0)]
    assert int(shown(program, "query", "SELECT count(*) AS n FROM quotes")[0]["n"]) > 0
    assert shown(program, "verify")["clean"]
    findings = {finding["part"]: finding["state"] for finding in shown(program, "doctor")}
    assert findings["lake"] == findings["bus"] == findings["warehouse"] == "well"
    kept = {file.name for file in (program.home / ".local/share/coinlake").iterdir()}
    assert not kept & {"lake.db", "warehouse"}


def test_what_is_lost_behind_the_lake_is_named_and_sent_again(site: Site, program: Program) -> None:
    shown(program, "lake", "init")
    (captured,) = shown(program, "capture")
    with publishing(program):
        until(lambda: lags(program)[0][0] == 0)
    let_go(site, {partition: held.stop for partition, held in Bus(site.bus).offsets().items()})

    looked = program("verify")
    assert looked.returncode == 1
    assert "missing in the warehouse" in looked.stderr
    repaired = program("verify", "--repair")
    assert f"Captures sent to the topic again: {captured['new']}." in repaired.stderr
    with site.loading():
        until(lambda: site.loaded() == captured["new"])
    assert shown(program, "verify")["clean"]


def test_status_answers_while_the_broker_is_away_and_says_so(program: Program) -> None:
    shown(program, "lake", "init")
    (captured,) = shown(program, "capture")
    program.environment["COINLAKE_BUS__SERVERS"] = "127.0.0.1:9"
    to_topic, to_warehouse = shown(program, "status")["hops"]
    assert (to_topic["captures"], to_warehouse["captures"]) == (captured["new"], 0)
    assert to_warehouse["messages"] is None
    assert "Kafka at 127.0.0.1:9 cannot be used now" in to_warehouse["trouble"]


def test_run_captures_and_leaves_loading_to_spark(program: Program) -> None:
    shown(program, "lake", "init")
    running = program.start("run", "--port", "0")
    try:
        assert running.stderr
        assert "The page: http://127.0.0.1:" in running.stderr.readline()
        until(lambda: lags(program)[0][0] > 0)
        running.send_signal(signal.SIGINT)
        assert running.wait(TIMEOUT_S) == 0
    finally:
        running.kill()
        running.communicate()
    assert shown(program, "status")["parts"]["batches"] == 0
