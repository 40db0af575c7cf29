"""Every capture reaches the topic, in order per key, whatever happens on the way."""

from __future__ import annotations

import ctypes
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import confluent_kafka
import pytest
from confluent_kafka import KafkaError
from confluent_kafka import Message as Record

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.lake import Lake
from coinlake.model import Held
from coinlake.positions import Mark
from coinlake.settings import BusSettings
from coinlake_bus import producing, writer
from coinlake_bus.conftest import DEADLINE_S, until
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Message, Received, Unreadable, decode
from coinlake_bus.message_test import HELD
from coinlake_bus.producing import Producing
from coinlake_bus.reader import read_topic
from coinlake_bus.writer import BusWriter
from servers.kafka import Kafka


class ListedLake:
    """As much of a lake as publishing reads: captures 1, 2, 3, … of a few pages, held in memory."""

    def __init__(self, captures: int = 0, body_bytes: int = 50) -> None:
        self.id = uuid4()
        self.held: list[Held] = []
        self.away = False
        self.refused = 0
        self.add(captures, body_bytes)

    def add(self, captures: int, body_bytes: int = 50) -> None:
        for position in range(len(self.held) + 1, len(self.held) + captures + 1):
            body = f"{position} ".encode() + random.Random(position).randbytes(body_bytes)
            self.held.append(Held(position, replace(HELD.capture, page=position % 5, body=body)))

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        if self.away:
            self.refused += 1
            raise TryAgain("The lake is away.")
        return self.held[after : after + captures]

    def end(self) -> int:
        return len(self.held)


class KeptMark:
    """A mark in memory."""

    def __init__(self, mark: Mark | None = None) -> None:
        self.mark = mark or Mark()
        self._lock = threading.Lock()

    def read(self) -> Mark:
        return self.mark

    def move(self, before: Mark, after: Mark) -> bool:
        with self._lock:
            if self.mark != before:
                return False
            self.mark = after
            return True


class Run:
    """A producer at work in a thread."""

    def __init__(self, lake: ListedLake, positions: KeptMark, bus: Bus) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self._producing = Producing(as_lake(lake), positions, bus)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._producing.run(self.stop)
        except BaseException as error:
            self.error = error

    def end(self) -> None:
        self.stop.set()
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()


def as_lake(lake: ListedLake) -> Lake:
    return lake  # type: ignore[return-value]


@contextmanager
def running(lake: ListedLake, positions: KeptMark, bus: Bus) -> Iterator[Run]:
    run = Run(lake, positions, bus)
    try:
        yield run
    finally:
        run.end()
    if run.error:
        raise run.error


def publish(lake: ListedLake, positions: KeptMark, bus: Bus) -> None:
    """Runs a producer until its mark stands at the lake's end."""
    with running(lake, positions, bus) as run:
        until(lambda: positions.mark.position == lake.end() or not run.thread.is_alive())


def positions_by_page(messages: Iterable[Message], lake_id: UUID) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for message in messages:
        received = decode(message)
        about = received.about if isinstance(received, Unreadable) else received
        assert isinstance(about, Received)
        assert about.lake_id == lake_id
        found[about.held.capture.page].append(about.held.position)
    return found


def in_topic(bus: Bus) -> list[Message]:
    return [placed.message for placed in read_topic(bus.settings)]


def first_seen(positions: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(positions))


def assert_whole(messages: Iterable[Message], lake: ListedLake) -> None:
    """Every capture at least once; those of a page in their order, apart from repeats."""
    found = positions_by_page(messages, lake.id)
    wanted = defaultdict(list)
    for held in lake.held:
        wanted[held.capture.page].append(held.position)
    assert {page: first_seen(numbers) for page, numbers in found.items()} == wanted


def test_each_capture_is_published_once_and_whole(bus: Bus) -> None:
    lake, positions = ListedLake(2_000), KeptMark()
    publish(lake, positions, bus)
    received = [one.held for one in map(decode, in_topic(bus)) if isinstance(one, Received)]
    assert sorted(received, key=lambda held: held.position) == lake.held
    assert positions.mark == Mark(2_000, bus.topic().id)


def test_a_new_producer_goes_on_behind_the_mark(bus: Bus) -> None:
    lake, positions = ListedLake(10), KeptMark()
    publish(lake, positions, bus)
    lake.add(10)
    publish(lake, positions, bus)
    assert len(in_topic(bus)) == 20
    assert_whole(in_topic(bus), lake)


def test_what_is_appended_while_it_runs_is_published(bus: Bus) -> None:
    lake, positions = ListedLake(), KeptMark()
    with running(lake, positions, bus):
        for end in (3, 4, 30):
            lake.add(end - lake.end())
            until(lambda end=end: positions.mark.position == end)  # type: ignore[misc]
    assert_whole(in_topic(bus), lake)


def test_without_its_topic_it_ends_with_the_command_that_makes_it(bus_settings: BusSettings) -> None:
    with pytest.raises(FixConfiguration, match="run `coinlake bus init`"):
        publish(ListedLake(1), KeptMark(), Bus(bus_settings))


def test_a_capture_the_topic_does_not_take_goes_without_its_body_and_holds_up_nothing(bus: Bus) -> None:
    Bus(bus.settings.model_copy(update={"max_message_bytes": 50_000})).init()
    lake, positions = ListedLake(10), KeptMark()
    lake.add(1, body_bytes=60_000)
    lake.add(10)
    publish(lake, positions, bus)
    (left_out,) = [found for found in map(decode, in_topic(bus)) if isinstance(found, Unreadable)]
    assert left_out.about is not None
    assert left_out.about.held.position == 11
    assert left_out.reasons[0].startswith("body_left_out")
    assert_whole(in_topic(bus), lake)


def test_captures_that_just_fit_the_topic_are_taken_whole(bus: Bus) -> None:
    limit = 50_000
    Bus(bus.settings.model_copy(update={"max_message_bytes": limit})).init()
    lake = ListedLake()
    for size in range(limit - 2_500, limit, 100):  # of noise, which packing makes no smaller
        lake.add(1, body_bytes=size)
    publish(lake, KeptMark(), bus)
    found = list(map(decode, in_topic(bus)))
    assert len(found) == 25
    assert 5 < sum(isinstance(one, Received) for one in found) < 25


def test_a_limit_lowered_while_it_runs_is_found(bus: Bus) -> None:
    lake, positions = ListedLake(1), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 1)
        Bus(bus.settings.model_copy(update={"max_message_bytes": 50_000})).init()
        lake.add(1, body_bytes=60_000)
        lake.add(3)
        until(lambda: positions.mark.position == 5)
    assert_whole(in_topic(bus), lake)
    assert sum(isinstance(one, Unreadable) for one in map(decode, in_topic(bus))) == 1


def test_a_full_local_queue_is_waited_for(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE_MESSAGES", 3)
    lake = ListedLake(500)
    publish(lake, KeptMark(), bus)
    assert_whole(in_topic(bus), lake)


def test_no_more_than_the_bound_is_in_flight(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "IN_FLIGHT_BYTES", 100_000)
    sizes: dict[int, int] = {}
    most, send, delivered = [0], BusWriter.send, BusWriter._delivered

    def sent(self: BusWriter, message: Message, number: int) -> bool:
        sizes[number] = message.size
        most[0] = max(most[0], sum(sizes.values()))
        return send(self, message, number)

    def acknowledged(self: BusWriter, number: int, error: KafkaError | None, record: Record) -> None:
        del sizes[number]
        delivered(self, number, error, record)

    monkeypatch.setattr(BusWriter, "send", sent)
    monkeypatch.setattr(BusWriter, "_delivered", acknowledged)
    publish(ListedLake(400, body_bytes=5_000), KeptMark(), bus)
    assert 10_000 < most[0] <= 100_000
    assert sizes == {}


def test_a_broker_killed_on_the_way_is_waited_for(bus: Bus, kafka_broker: Kafka) -> None:
    lake, positions = ListedLake(100), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 100)
        kafka_broker.kill()
        lake.add(3_000)
        kafka_broker.start()
        lake.add(100)
        until(lambda: positions.mark.position == 3_200)
    assert_whole(in_topic(bus), lake)


def test_a_broker_that_is_not_there_at_the_start_is_waited_for(bus: Bus, kafka_broker: Kafka) -> None:
    lake, positions = ListedLake(100), KeptMark()
    kafka_broker.kill()
    try:
        run = Run(lake, positions, Bus(bus.settings))
    finally:
        kafka_broker.start()
    until(lambda: positions.mark.position == 100)
    run.end()
    assert_whole(in_topic(bus), lake)


def test_a_lake_that_is_away_is_waited_for(bus: Bus) -> None:
    lake, positions = ListedLake(10), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 10)
        lake.away = True
        lake.add(10)
        until(lambda: lake.refused > 1)
        lake.away = False
        until(lambda: positions.mark.position == 20)
    assert_whole(in_topic(bus), lake)


def test_after_a_fatal_error_of_the_client_a_new_one_goes_on(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[BusWriter] = []
    begin = BusWriter.__enter__

    def noted(self: BusWriter) -> BusWriter:
        made.append(self)
        return begin(self)

    monkeypatch.setattr(BusWriter, "__enter__", noted)
    lake, positions = ListedLake(10), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 10)
        raise_fatal_error(made[0]._producer)
        lake.add(10)
        until(lambda: positions.mark.position == 20)
    assert len(made) == 2
    assert_whole(in_topic(bus), lake)


def raise_fatal_error(client: confluent_kafka.Producer) -> None:
    """Puts librdkafka's client into the state after a fatal error, by its own function for tests."""
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    (library,) = folder.glob("librdkafka-*.so*")
    handle = ctypes.c_void_p.from_address(id(client) + object.__basicsize__)
    raise_fatal = ctypes.CDLL(str(library)).rd_kafka_test_fatal_error
    out_of_order = confluent_kafka.KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
    raise_fatal(handle, ctypes.c_int(out_of_order), ctypes.c_char_p(b"made by a test"))


def test_a_topic_made_again_while_it_was_stopped_is_filled_from_the_start(
    bus: Bus, delete_topic: Callable[[], None]
) -> None:
    lake, positions = ListedLake(10), KeptMark()
    publish(lake, positions, bus)
    delete_topic()
    bus.init()
    lake.add(5)
    publish(lake, positions, bus)
    assert_whole(in_topic(bus), lake)
    assert positions.mark == Mark(15, bus.topic().id)


def test_a_topic_made_again_while_it_runs_is_filled_from_the_start(
    bus: Bus, delete_topic: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producing, "TOPIC_CHECK_S", 3600)
    lake, positions = ListedLake(10), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 10)
        delete_topic()
        bus.init()
        monkeypatch.setattr(producing, "TOPIC_CHECK_S", 0)
        until(lambda: positions.mark == Mark(10, bus.topic().id))
    assert_whole(in_topic(bus), lake)


def test_a_lake_restored_from_before_the_mark_is_published_again(bus: Bus) -> None:
    lake, positions = ListedLake(10), KeptMark(Mark(25, bus.topic().id))
    publish(lake, positions, bus)
    assert_whole(in_topic(bus), lake)


def test_two_producers_publish_all_and_one_of_them_stands_by(bus: Bus) -> None:
    lake, positions = ListedLake(5_000), KeptMark()
    with running(lake, positions, bus), running(lake, positions, bus):
        for _ in range(20):
            lake.add(100)
            until(lambda: positions.mark.position == lake.end())
    messages = in_topic(bus)
    assert_whole(messages, lake)
    assert len(messages) < 2 * lake.end()


def test_one_that_stands_by_takes_over(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "STAND_BY_S", 0.2)
    lake, positions = ListedLake(10), KeptMark()
    with running(lake, positions, bus):
        until(lambda: positions.mark.position == 10)
        positions.mark = Mark(5, positions.mark.topic_id)  # as another producer would leave it, and then die
        lake.add(10)
        until(lambda: positions.mark.position == 20)
    assert_whole(in_topic(bus), lake)


def test_told_to_stop_it_ends_at_once_and_keeps_what_was_acknowledged(bus: Bus) -> None:
    lake, positions = ListedLake(60_000), KeptMark()
    run = Run(lake, positions, bus)
    until(lambda: positions.mark.position > 0)
    run.stop.set()
    run.thread.join(2)
    assert not run.thread.is_alive()
    published = {number for page in positions_by_page(in_topic(bus), lake.id).values() for number in page}
    assert published >= {*range(1, positions.mark.position + 1)}
    assert len(published) - positions.mark.position < 100


def test_told_to_stop_while_the_broker_is_away_it_ends_within_two_seconds(
    bus: Bus, kafka_broker: Kafka
) -> None:
    lake, positions = ListedLake(10), KeptMark()
    run = Run(lake, positions, bus)
    until(lambda: positions.mark.position == 10)
    kafka_broker.kill()
    try:
        lake.add(10)
        run.stop.set()
        run.thread.join(2)
        assert not run.thread.is_alive()
        assert positions.mark.position == 10
    finally:
        kafka_broker.start()
