"""One Kafka broker that is its own controller (KRaft), as a process beside the tests."""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from servers import fetch
from servers.ports import HOST, Port
from servers.process import START_TIMEOUT_S, Process, ServerFailed
from servers.server import Server

_QUICK_START = "-XX:TieredStopAtLevel=1"  # half the work of a start, and a little slower under load
_HEAP = "-Xmx512m"
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",  # it lists every setting, three times
)
_ANSWER_TIMEOUT_S = 1

_OF_ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    # How long a killed broker counts as alive; for so long it is refused when it comes back.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
}


class Kafka(Server):
    """A broker in a folder. `settings` are the broker's own, above ours, and `java` is told to its Java.

    `doors` are further ports to listen on, each with the port that whoever comes by it is sent to for all
    that follows: that of a proxy in front of it. Nobody has to log in, and topics are made by whoever wants
    them, never by writing to them. Started again on its folder it has its topics back, and its port unless
    another took it. Raises `fetch.Missing` and `process.ServerFailed`.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        doors: Mapping[int, int] | None = None,
        java: Sequence[str] = (),
    ) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = Port(self._folder / "port")
        self._controller_port = Port(self._folder / "controller.port")
        self._process = Process(self._folder, "kafka")
        self._java = java
        ours = _OF_ONE_NODE | self._places() | (self._doors(doors) if doors else {})
        self._settings = ours | dict(settings or {})

    @property
    def bootstrap_servers(self) -> str:
        """Host and port, as clients want them."""
        return f"{HOST}:{self._port.number}"

    @property
    def runs(self) -> bool:
        return self._process.runs

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def start(self) -> None:
        file = self._folder / "server.properties"
        file.write_text(
            "".join(f"{name}={value}\n" for name, value in self._settings.items()), encoding="utf-8"
        )
        java = [fetch.java(), _QUICK_START, *_LOGGING, "-cp", f"{fetch.jars('kafka')}/*"]
        if not Path(self._settings["log.dirs"], "meta.properties").exists():
            self._format([*java, "kafka.tools.StorageTool"], file)
        self._process.start([*java, _HEAP, *self._java, "kafka.Kafka", str(file)], self._answers)

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.stop()
        self._port.release()
        self._controller_port.release()

    def how_to_reach(self) -> str:
        address = self.bootstrap_servers
        return f"Kafka       {address}\n            kcat -b {address} -L"

    def last_words(self) -> str:
        return self._process.last_words()

    def _places(self) -> dict[str, str]:
        return {
            "log.dirs": str(self._folder / "files"),
            "listeners": f"PLAINTEXT://{self.bootstrap_servers},{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port.number}",
        }

    def _doors(self, doors: Mapping[int, int]) -> dict[str, str]:
        listening = [f"DOOR{door}://{HOST}:{door}" for door in doors]
        advertised = [f"DOOR{door}://{HOST}:{sent_to}" for door, sent_to in doors.items()]
        plain = [
            f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *(f"DOOR{one}" for one in doors))
        ]
        own = f"PLAINTEXT://{self.bootstrap_servers}"
        return {
            "listeners": ",".join([own, self._controller, *listening]),
            "advertised.listeners": ",".join([own, *advertised]),
            "listener.security.protocol.map": ",".join(plain),
        }

    @property
    def _controller(self) -> str:
        return f"CONTROLLER://{HOST}:{self._controller_port.number}"

    def _format(self, tool: list[str], file: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        done = subprocess.run(
            [*tool, "format", f"--cluster-id={cluster_id}", f"--config={file}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=START_TIMEOUT_S,
        )
        if done.returncode != 0:
            raise ServerFailed(f"Kafka cannot make its files in {self._folder}:\n{done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        with suppress(KafkaException):
            return bool(client.list_topics(timeout=_ANSWER_TIMEOUT_S).brokers)
        return False
