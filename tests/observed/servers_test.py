"""What MongoDB and Kafka tell of themselves, and Airflow's parts, reaches Prometheus by what is shipped."""

from __future__ import annotations

import json
import re
import secrets
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from coinlake.settings import Secret
from coinlake_lake.mongo_logins import ROLES, OwnMachine
from coinlake_lake.mongo_setup import set_up
from dashboards.expressions import expressions
from observed.shipped import OPS, asked
from servers import fetch, fixtures
from servers.certificates import make_authority, make_server_identity
from servers.collector import Collector
from servers.kafka import Kafka
from servers.mongod import Member
from servers.ports import HOST, Port
from servers.telegraf import Telegraf

pytestmark = [
    pytest.mark.timeout(1800),  # the first test of a machine builds Telegraf and the collector
    pytest.mark.usefixtures("kafka_program", "mongod_program"),
]
telling_programs = fixtures.telling_programs

TOPIC, PARTITIONS = "coinlake.captures", 3
EXPIRATION_S = 4
_DEADLINE_S = 60
_OF_AIRFLOW = ("scheduler_heartbeat", "dag_processor_heartbeat", "ti.finish")
"""What tests/scheduling has of a real one."""
_NOBODY = "127.0.0.1:1"
"""An address where nobody listens."""

Told = Mapping[str, Mapping[str, float]]
"""Metric by metric its values by their labels, as Prometheus is told them."""
T = TypeVar("T")


def until(look: Callable[[], T]) -> T:
    """The first answer that is not empty."""
    end = time.monotonic() + _DEADLINE_S
    while not (found := look()):
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)
    return found


def told(address: str) -> Told:
    """What Prometheus would be told there now."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=_DEADLINE_S) as answer:
        said = answer.read().decode()
    found: dict[str, dict[str, float]] = {}
    for name, labels, value in re.findall(r"^(\w+)(\{.*\})? (\S+)$", said, re.MULTILINE):
        found.setdefault(name, {})[labels] = float(value)
    return found


def named(server: str) -> set[str]:
    """The metrics of a server that dashboards name."""
    every = {name for one in expressions("promql") for name in asked(one.text)}
    return {name for name in every if name.startswith(f"{server}_")}


@dataclass(frozen=True)
class Asked:
    """A MongoDB with logins, and the Telegraf that asks it."""

    mongo: Member
    telegraf: Telegraf
    owner_url: str = field(repr=False)
    password: str = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    """Of Telegraf."""
    ca_file: Path
    """Who signed MongoDB's certificate."""


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory: pytest.TempPathFactory, telling_programs: None) -> Iterator[Asked]:
    """Made ready as `coinlake lake init --logins` does, after Telegraf came up and found nobody."""
    folder = tmp_path_factory.mktemp("mongodb")
    key = folder / "key"
    key.write_text(secrets.token_hex(24))
    key.chmod(0o600)
    ca_file = make_authority(folder / "certificates")
    tls = ["--tlsMode=preferTLS", f"--tlsCertificateKeyFile={make_server_identity(ca_file)}"]
    mongo = Member(folder / "mongo", ["--replSet=rs0", f"--keyFile={key}", "--oplogSize=128", *tls])
    passwords = {name: secrets.token_hex(16) for name in (*ROLES, "owner", "root")}
    owner_url = (
        f"mongodb://owner:{passwords['owner']}@{mongo.address}/coinlake?replicaSet=rs0&authSource=admin"
    )
    variables = {
        "TELEGRAF_EVERY": "1s",
        "TELEGRAF_EXPIRATION": f"{EXPIRATION_S}s",
        "MONGO_SERVER": mongo.address,
        "MONGO_WATCHER_PASSWORD": passwords["watcher"],
    }
    with ExitStack() as stack:
        stack.callback(mongo.close)
        telegraf = stack.enter_context(
            Telegraf(folder / "telegraf", OPS / "telegraf/telegraf.toml", variables)
        )
        mongo.start()
        own = OwnMachine(Secret(owner_url), Secret(passwords["root"]))
        own.begin()
        set_up(Secret(owner_url))
        own.give_logins({name: Secret(password) for name, password in passwords.items()})
        yield Asked(mongo, telegraf, owner_url, passwords["watcher"], variables, ca_file)
        print(telegraf.last_words())


def test_mongodb_tells_what_dashboards_ask_of_it_to_a_login_that_sees_nothing_else(mongodb: Asked) -> None:
    assert named("mongodb")
    until(lambda: named("mongodb") <= told(mongodb.telegraf.address()).keys())

    def inserted() -> float:
        return sum(told(mongodb.telegraf.address())["mongodb_inserts"].values())

    before = inserted()
    with MongoClient[dict[str, object]](mongodb.owner_url) as owner:
        for number in range(5):
            owner.get_default_database()["scratch"].insert_one({"_id": number})
    until(lambda: inserted() >= before + 5)
    log = mongodb.telegraf.last_words()
    assert "not authorized" not in log
    assert mongodb.password not in log


def test_with_who_signed_its_certificate_mongodb_is_asked_over_tls(mongodb: Asked, tmp_path: Path) -> None:
    watcher = f"mongodb://watcher:{mongodb.password}@{mongodb.mongo.address}/?directConnection=true"

    def over_tls() -> int:
        with MongoClient[dict[str, dict[str, int]]](watcher) as client:
            return sum(client.admin.command("serverStatus")["transportSecurity"].values())

    assert over_tls() == 0
    variables = {**mongodb.variables, "MONGO_CA_FILE": str(mongodb.ca_file)}
    with Telegraf(tmp_path, OPS / "telegraf/telegraf.toml", variables) as telegraf:
        until(lambda: "mongodb_connections_current" in told(telegraf.address()))
    assert over_tls() > 0


def test_a_mongodb_that_is_gone_leaves_no_number_behind_and_comes_back(mongodb: Asked) -> None:
    address = mongodb.telegraf.address()
    until(lambda: "mongodb_connections_current" in told(address))
    mongodb.mongo.kill()
    until(lambda: "mongodb_connections_current" not in told(address))
    mongodb.mongo.start()
    until(lambda: "mongodb_connections_current" in told(address))


def test_kafka_tells_what_dashboards_ask_of_it(tmp_path: Path, telling_programs: None) -> None:
    (agent,) = fetch.jars("kafka_agent").iterdir()
    port = Port(tmp_path / "agent.port")
    address = f"{HOST}:{port.number}"
    told_to_java = [f"-javaagent:{agent}={address}:{OPS / 'kafka_agent/config.yaml'}"]
    with Kafka(tmp_path / "kafka", java=told_to_java) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
            made.result(_DEADLINE_S)
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
        for _ in range(5):
            producer.produce(TOPIC, b"a message", partition=1)
        producer.flush(_DEADLINE_S)
        said = told(address)
        assert named("kafka")
        assert named("kafka") <= said.keys()
        assert [*said["kafka_active_brokers"].values()] == [1]
        ours = f'topic="{TOPIC}"'
        ends = {labels: end for labels, end in said["kafka_log_end_offset"].items() if ours in labels}
        assert sorted(ends.values()) == [0, 0, 5]
        assert [one for labels, one in said["kafka_topic_messages_in_total"].items() if ours in labels] == [5]
    port.release()


@pytest.fixture
def collector(tmp_path: Path, watching_programs: None) -> Iterator[Collector]:
    """With nobody to send to."""
    variables = {
        "METRIC_EXPIRATION": f"{EXPIRATION_S}s",
        "BATCH_TIMEOUT": "100ms",
        "LOGS_URL": f"http://{_NOBODY}",
        "TRACES_ENDPOINT": _NOBODY,
        "LOG_FILES": str(tmp_path / "none"),
    }
    with Collector(tmp_path / "collector", OPS / "collector/config.yaml", variables) as collector:
        yield collector


def test_beats_of_several_processes_add_up_and_a_heart_that_stands_still_is_gone(
    collector: Collector,
) -> None:
    def beats() -> Mapping[str, float]:
        return told(collector.address("programs")).get("airflow_scheduler_heartbeat_total", {})

    for number in range(3):
        _count(collector, "scheduler_heartbeat", number + 1)
    (labels,) = until(lambda: [one for one, value in beats().items() if value == 6])
    assert 'job="airflow-scheduler"' in labels
    until(lambda: not beats())


def test_what_airflow_tells_has_the_names_that_dashboards_ask_for(collector: Collector) -> None:
    for metric in _OF_AIRFLOW:
        _count(collector, metric, 1)
    assert named("airflow")
    until(lambda: named("airflow") <= told(collector.address("programs")).keys())


def _count(collector: Collector, metric: str, added: int) -> None:
    """What a process of Airflow's sends that counted so much since it began."""
    now_ns = time.time_ns()
    point = {
        "asInt": str(added),
        "startTimeUnixNano": str(now_ns - 1_000_000),
        "timeUnixNano": str(now_ns),
    }
    counter = {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "airflow-scheduler"}}]}
    metrics = [{"name": f"airflow.{metric}", "sum": counter}]
    body = {"resourceMetrics": [{"resource": service, "scopeMetrics": [{"metrics": metrics}]}]}
    sent = urllib.request.Request(
        f"http://{collector.address('otlp_http')}/v1/metrics",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(sent, timeout=_DEADLINE_S) as answer:
        assert answer.status == 200
