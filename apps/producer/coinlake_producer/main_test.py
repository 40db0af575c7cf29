"""The program, with a real MongoDB and a real broker: from an append to the topic, and clear refusals."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr

from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Received, decode
from coinlake_bus.reader import read_topic
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_lake.mongo_setup import set_up
from coinlake_producer.killing_test import capture
from coinlake_producer.serving import STOP_S
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.proxy import Proxy

DEADLINE_S = 60


def start(settings: Mapping[str, str]) -> subprocess.Popen[str]:
    """The program with settings in its environment; its log on stderr."""
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-m", "coinlake_producer.main"],
        env={name: value for name, value in os.environ.items() if not name.startswith("COINLAKE_")}
        | path
        | {f"COINLAKE_{name}": value for name, value in settings.items()},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def url(mongo_replica_set: Mongo) -> SecretStr:
    """An empty lake."""
    head, _, options = mongo_replica_set.uri.partition("?")
    url = SecretStr(f"{head.rstrip('/')}/lake-{uuid4().hex[:12]}?{options}")
    set_up(url)
    return url


@pytest.fixture
def settings(url: SecretStr, kafka_broker: Kafka) -> dict[str, str]:
    return {
        "PROFILE": "distributed",
        "LAKE__URL": url.get_secret_value(),
        "BUS__SERVERS": kafka_broker.bootstrap_servers,
        "BUS__TOPIC": f"captures.{uuid4()}",
    }


def test_what_is_appended_to_the_lake_reaches_the_topic_and_moves_the_mark(
    url: SecretStr, settings: dict[str, str]
) -> None:
    bus = BusSettings(servers=settings["BUS__SERVERS"], topic=settings["BUS__TOPIC"])
    Bus(bus).init()
    program = start(settings)
    with MongoLake(url) as lake, MongoPositions(url, lake.id, bus.topic) as positions:
        captures = [capture(number) for number in range(20)]
        assert all(lake.append(one) for one in captures)
        _until(lambda: positions.read().position == 20)
        program.terminate()
        assert program.wait(5) == 0
        received = [decode(placed.message) for placed in read_topic(bus)]
        assert {one.lake_id for one in received if isinstance(one, Received)} == {lake.id}
    assert sorted(str(one.held.capture.id) for one in received if isinstance(one, Received)) == sorted(
        str(one.id) for one in captures
    )


def test_a_mongodb_that_hangs_does_not_delay_its_stop_and_costs_nothing(
    url: SecretStr, settings: dict[str, str], tmp_path: Path
) -> None:
    bus = BusSettings(servers=settings["BUS__SERVERS"], topic=settings["BUS__TOPIC"])
    Bus(bus).init()
    member = urlsplit(url.get_secret_value())
    with (
        MongoLake(url) as lake,
        MongoPositions(url, lake.id, bus.topic) as positions,
        Proxy(tmp_path / "port", int(member.netloc.rpartition(":")[2])) as link,
    ):
        by_link = f"mongodb://127.0.0.1:{link.port}{member.path}?directConnection=true"
        for round_ in range(2):
            program = start(settings | {"LAKE__URL": by_link})
            assert lake.append(capture(round_))
            _until(lambda: positions.read().position == lake.end())
            link.hold()
            told_at = time.monotonic()
            program.terminate()
            _, log = program.communicate(timeout=DEADLINE_S)
            assert time.monotonic() - told_at < STOP_S + 2
            assert program.returncode == 0
            assert "producer.cut_short" in log
            link.cut()
            link.mend()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "run `coinlake bus init`"),
        ({"PROFILE": "embedded"}, "The producer is a part of the distributed profile"),
        ({"LAKE__URL": "mongodb://user:very-secret@"}, "lake.url is no connection string"),
        (
            {"BUS__SECURITY_PROTOCOL": "SASL_SSL", "BUS__PASSWORD": "very-secret"},
            "needs username and password",
        ),
        ({"BUS__SERVRES": "x"}, "unknown setting"),
    ],
)
def test_what_a_person_must_change_ends_it_with_3_and_is_named(
    settings: dict[str, str], changed: dict[str, str], said: str
) -> None:
    program = start(settings | changed)
    _, log = program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 3
    assert said in log
    assert "very-secret" not in log
