"""The producer against a bare change stream, and what of it must not grow with what was published."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from benchmarks.pages import EVERY, captures
from benchmarks.result import Result, in_turn
from coinlake.model import Capture
from coinlake.settings import BusSettings, Secret
from coinlake_bus.kafka import Bus
from coinlake_bus.producing import Producing
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_document import document
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_lake.mongo_setup import set_up
from distributed.site import new_topic
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.process import Process

PAGE_BYTES = 73_000
"""A page of a hundred coins, about."""
SMALL_BYTES = 400
_INSERTED_AT_ONCE = 500
_LOOK_AGAIN_S = 0.01
_MEMORY_GOAL_MIB = 150
_SETTINGS = """
profile = "distributed"

[bus]
servers = "{bus.servers}"
topic = "{bus.topic}"
"""


class Filled:
    """A lake with captures whose bodies have so many bytes, and the moment before the first of them."""

    def __init__(self, mongo: Mongo, count: int, body_bytes: int) -> None:
        self.url = new_lake(mongo)
        self.count = count
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            self.url.get_secret_value(), uuidRepresentation="standard"
        )
        self._captures = self._client.get_default_database()["captures"]
        self._begun = self._client.admin.command("hello")["operationTime"]
        made = (
            {**document(capture), "position": number}
            for number, capture in enumerate(_sized(count, body_bytes), start=1)
        )
        while batch := list(islice(made, _INSERTED_AT_ONCE)):
            self._captures.insert_many(batch)

    def watch(self) -> None:
        """Reads every capture from a change stream, as it comes: nothing is decoded."""
        raw = self._captures.with_options(CodecOptions(document_class=RawBSONDocument))
        with raw.watch(start_at_operation_time=self._begun) as stream:
            for _ in range(self.count):
                next(stream)

    def close(self) -> None:
        """Drops the lake."""
        self._client.drop_database(self._captures.database.name)
        self._client.close()


def against_change_stream(folder: Path, *, pages: int, small: int, rounds: int) -> Iterator[Result]:
    """Captures a second from lake to acknowledged message, over those of a bare raw change-stream reader."""
    with Mongo(folder / "mongo", oplog_mb=4_096) as mongo, Kafka(folder / "kafka") as kafka:
        yield _against_change_stream("pages of 73 kB", Filled(mongo, pages, PAGE_BYTES), kafka, rounds)
        yield _against_change_stream("captures of 400 B", Filled(mongo, small, SMALL_BYTES), kafka, rounds)


def _against_change_stream(what: str, filled: Filled, kafka: Kafka, rounds: int) -> Result:
    turns = in_turn(rounds, lambda _: _publish(filled, kafka), lambda _: filled.watch())
    filled.close()
    ours_s, bare_s = turns.medians
    return Result(
        f"producer, {what}, against a bare raw change stream",
        turns.ratio,
        0.5,
        more_is_better=True,
        said=f"{filled.count / ours_s:,.0f}/s against {filled.count / bare_s:,.0f}/s",
    )


def memory(folder: Path, *, few: int, many: int) -> Iterator[Result]:
    """Most memory that the producer's process has held, after few and after many captures."""
    with Mongo(folder / "mongo") as mongo, Kafka(folder / "kafka") as kafka:
        peaks = []
        for count in (few, many):
            filled = Filled(mongo, count, SMALL_BYTES)
            bus = new_topic(kafka)
            with producing(folder / f"{count}", filled.url, bus) as process:
                _wait_for(filled.url, bus, count)
                peaks.append(peak_mib(process.pid))
            filled.close()
    few_mib, many_mib = peaks
    yield Result(
        f"producer's peak memory at {many:,} captures, against {few:,}",
        many_mib / few_mib,
        1.15,
        more_is_better=False,
        said=f"{many_mib:.0f} MiB against {few_mib:.0f} MiB",
    )
    yield Result(
        f"producer's peak memory at {many:,} captures, against {_MEMORY_GOAL_MIB} MiB",
        many_mib / _MEMORY_GOAL_MIB,
        1,
        more_is_better=False,
        said=f"{many_mib:.0f} MiB",
    )


def catching_up(folder: Path, *, pages: int, per_s: int) -> Result:
    """Processor time a page of the producer, when it catches up, over that in a steady flow."""
    with Mongo(folder / "mongo") as mongo, Kafka(folder / "kafka") as kafka:
        filled = Filled(mongo, 0, PAGE_BYTES)
        bus = new_topic(kafka)
        made = list(_sized(pages, PAGE_BYTES))
        steady, behind = made[: pages // 2], made[pages // 2 :]
        with MongoLake(filled.url) as lake, producing(folder / "producer", filled.url, bus) as process:
            _append(lake, steady[:per_s], per_s)  # the start is not measured
            _wait_for(filled.url, bus, per_s)
            began_s = _cpu_s(process.pid)
            _append(lake, steady[per_s:], per_s)
            _wait_for(filled.url, bus, len(steady))
            steady_s = (_cpu_s(process.pid) - began_s) / (len(steady) - per_s)
            os.kill(process.pid, signal.SIGSTOP)
            for capture in behind:
                lake.append(capture)
            began_s = _cpu_s(process.pid)
            os.kill(process.pid, signal.SIGCONT)
            _wait_for(filled.url, bus, pages)
            behind_s = (_cpu_s(process.pid) - began_s) / len(behind)
        filled.close()
    return Result(
        "producer's processor time a page when it catches up, against a steady flow",
        behind_s / steady_s,
        1,
        more_is_better=False,
        said=f"{behind_s * 1e6:,.0f} µs against {steady_s * 1e6:,.0f} µs",
    )


def _append(lake: MongoLake, flow: Sequence[Capture], per_s: int) -> None:
    """At a steady pace."""
    began = time.monotonic()
    for number, capture in enumerate(flow):
        time.sleep(max(0.0, began + number / per_s - time.monotonic()))
        lake.append(capture)


def _sized(count: int, body_bytes: int) -> Iterator[Capture]:
    """Captures with bodies of so many bytes, no two of them alike."""
    (first,) = captures(1)
    for number in range(count):
        body = first.body[:body_bytes] + str(number).encode()
        yield replace(first, slot=first.slot + number * EVERY, body=body)


def _publish(filled: Filled, kafka: Kafka) -> None:
    """The producer's own loop, from an empty topic until all is acknowledged and the mark stored."""
    bus = new_topic(kafka)
    with MongoLake(filled.url) as lake, MongoPositions(filled.url, lake.id, bus.topic) as positions:
        stop = threading.Event()
        producing = Producing(lake, positions, Bus(bus), wait=lake.wait)
        running = threading.Thread(target=producing.run, args=(stop,))
        running.start()
        while positions.read().position < filled.count:
            time.sleep(_LOOK_AGAIN_S)
        stop.set()
        running.join()


def new_lake(mongo: Mongo) -> Secret:
    """The URL of an empty lake."""
    url = Secret(urlsplit(mongo.uri)._replace(path=f"/{uuid4().hex}").geturl())
    set_up(url)
    return url


@contextmanager
def producing(folder: Path, url: Secret, bus: BusSettings) -> Iterator[Process]:
    """The producer as a process."""
    folder.mkdir()
    (folder / "coinlake.toml").write_text(_SETTINGS.format(bus=bus), encoding="utf-8")
    process = Process(folder, "coinlake-producer")
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    process.launch(
        [sys.executable, "-m", "coinlake_producer.main", f"--config={folder / 'coinlake.toml'}"],
        os.environ | {"PYTHONPATH": path, "COINLAKE_LAKE__URL": url.get_secret_value()},
    )
    try:
        yield process
    finally:
        process.stop()


def _wait_for(url: Secret, bus: BusSettings, position: int) -> None:
    with MongoLake(url) as lake, MongoPositions(url, lake.id, bus.topic) as positions:
        while positions.read().position < position:
            time.sleep(_LOOK_AGAIN_S)


def _cpu_s(pid: int) -> float:
    """Processor time of a process until now, by Linux's own count."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int) -> float:
    """The most that a process has held, by Linux's own count; `ProcessLookupError` where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError as gone:
        raise ProcessLookupError(pid) from gone
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    if not found:  # it has ended, and nobody has asked how
        raise ProcessLookupError(pid)
    return int(found[0]) / 1024
