"""From the lake's tail to the topic: every capture at least once, in order per key.

Order of commits, which is what makes a crash anywhere harmless:
  1. a capture is durable in the lake before it has a position, so it is read only then;
  2. its message is acknowledged by all in-sync replicas of the topic's partition;
  3. the mark moves, by compare-and-set, over captures whose acknowledgements came, and over no gap;
  4. nothing else remembers how far publishing got: whoever begins, begins behind the mark.
A crash between 2 and 3 publishes the captures behind the mark once more. So may a second producer, which
finds the mark moved and stands by. Readers of the topic know a capture by its id, so neither does harm.

Any failure ends the course from mark to tail, and a new one begins behind the mark with a new client. The
mark names the topic by id: where that is another one now, its course begins at the lake's first capture.
The next batch is read while those before it are in flight.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import structlog
from opentelemetry.trace import SpanKind

from coinlake.errors import TryAgain
from coinlake.lake import Lake
from coinlake.model import Held
from coinlake.positions import Mark, Positions
from coinlake.telemetry import metrics, tracing
from coinlake_bus.kafka import Bus, Topic
from coinlake_bus.message import encode
from coinlake_bus.writer import BusWriter

BATCH_CAPTURES = 500
BATCH_BODY_BYTES = 2 * 1024 * 1024
IN_FLIGHT_BYTES = 8 * 1024 * 1024
"""Messages sent and not yet acknowledged; with the batches, what bounds the program's memory."""
STORE_EVERY_S = 0.25
TOPIC_CHECK_S = 5.0
STAND_BY_S = 5.0
"""A mark that has not moved for so long has nobody who moves it."""
LAST_WAIT_S = 1.0
"""How long a producer told to stop waits for acknowledgements."""

_IDLE_S = 0.1
"""With nothing to read, how long to wait for news or for an acknowledgement."""
_SILENCE_S = 10.0
"""Without any acknowledgement for so long, it says that it waits."""
_PAUSES_S = (0.5, 1, 2, 5, 10)
"""Pauses between tries while lake or broker is away; the last one repeats."""
_STEADY_S = 60.0
"""A course that went on for so long was no failure: the next pause is short again."""

_SENDING = {"messaging.system": "kafka", "messaging.operation.name": "send"}

log = structlog.get_logger("coinlake.producing")


Wait = Callable[[int, float], object]
"""Returns when a lake may have news behind a position, or after the given seconds."""


def look_again(_: int, timeout_s: float) -> None:
    """For a lake that cannot say when it has news."""
    time.sleep(timeout_s)


class Producing:
    """Publishes the captures of a lake, from the mark on, for as long as it runs."""

    def __init__(
        self,
        lake: Lake,
        positions: Positions,
        bus: Bus,
        *,
        wait: Wait = look_again,
    ) -> None:
        self._lake = lake
        self._positions = positions
        self._bus = bus
        self._wait = wait

    def run(self, stop: threading.Event) -> None:
        """Publishes until `stop`, and then stores what was acknowledged.

        Raises `FixConfiguration` where a person is needed: no topic, no right, a wrong password.
        """
        failures = 0
        while not stop.is_set():
            begun_at = time.monotonic()
            try:
                self._go(stop)
            except TryAgain as error:
                failures = 0 if time.monotonic() - begun_at > _STEADY_S else failures
                pause_s = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                failures += 1
                metrics.PRODUCER_INTERRUPTIONS.add(error=metrics.kind_of(error))
                log.warning("producing.interrupted", reason=str(error), again_in_s=pause_s)
                stop.wait(pause_s)

    def _go(self, stop: threading.Event) -> None:
        topic = self._bus.topic(to="write")
        try:
            _Course(self._lake, self._positions, self._bus, topic, self._wait).run(stop)
        except _Moved:
            log.info("producing.standing_by", topic=self._bus.settings.topic)
            self._stand_by(stop)
        except _TopicReplaced:
            log.warning("producing.topic_replaced", topic=self._bus.settings.topic)

    def _stand_by(self, stop: threading.Event) -> None:
        """Returns once another producer's mark rests, or on `stop`."""
        mark = self._positions.read()
        while not stop.wait(STAND_BY_S) and mark != (mark := self._positions.read()):
            pass


class _Sent(NamedTuple):
    """A message that was handed to the client."""

    position: int
    size: int
    at_ns: int
    """By `time.time_ns`."""
    traceparent: str
    """Of its capture; "" where nobody records that trace."""


class _Moved(Exception):
    """The mark is not where we left it: another producer is at work."""


class _TopicReplaced(Exception):
    """The topic is not the one that this course writes to."""


class _Course:
    """One way from the mark along the tail, with one client of Kafka; spent when it raises."""

    def __init__(
        self,
        lake: Lake,
        positions: Positions,
        bus: Bus,
        topic: Topic,
        wait: Wait,
    ) -> None:
        self._lake = lake
        self._positions = positions
        self._bus = bus
        self._topic = topic
        self._wait = wait
        self._mark = positions.read()
        self._start = self._first_position()
        self._lake_id = lake.id
        self._sending: dict[str, str | int] = {**_SENDING, "messaging.destination.name": bus.settings.topic}
        self._in_flight: deque[_Sent] = deque()
        """Messages sent and not yet part of `_reached`, in order."""
        self._in_flight_bytes = 0
        self._acknowledged: set[int] = set()
        self._reached = self._start
        """Every capture up to here was acknowledged."""
        self._stored_at = self._heard_at = self._checked_at = time.monotonic()
        self._check: Future[Topic] | None = None

    def run(self, stop: threading.Event) -> None:
        """Publishes until `stop`, or until it cannot go on."""
        if not self._positions.move(self._mark, self._mark):  # whoever may not move it shall know at once
            raise _Moved
        self._tell_mark()
        log.info("producing.begun", topic=self._bus.settings.topic, position=self._start)
        aside = ThreadPoolExecutor(1, "producing")
        try:
            with BusWriter(self._bus.settings, self._topic, self._acknowledged.add) as writer:
                try:
                    self._publish(writer, stop, aside)
                    self._finish(writer)
                finally:
                    self._advance()
                    self._store()
        finally:
            aside.shutdown(wait=False, cancel_futures=True)

    def _publish(self, writer: BusWriter, stop: threading.Event, aside: ThreadPoolExecutor) -> None:
        # One thread does it all: the client packs and sends in its own, and one that decodes beside it would
        # hold up each acknowledgement for Python's lock.
        while not stop.is_set():
            batch = self._lake.tail(self._last_sent, captures=BATCH_CAPTURES, body_bytes=BATCH_BODY_BYTES)
            for held in batch:
                if not self._send(writer, held, stop):
                    return
            is_idle = not batch and not self._in_flight
            if is_idle:
                self._wait(self._reached, _IDLE_S)
            self._turn(writer, timeout_s=0 if batch or is_idle else _IDLE_S)
            self._check_topic(aside)

    def _send(self, writer: BusWriter, held: Held, stop: threading.Event) -> bool:
        """Hands a capture to the client once there is room; False where `stop` came first."""
        message = encode(held, self._lake_id)
        fitted, size = writer.fitted(message)
        if fitted is not message:
            metrics.BODIES_LEFT_OUT.add()
            log.error("producing.body_left_out", capture_id=str(held.capture.id), size=len(held.capture.body))
        while self._in_flight and self._in_flight_bytes + size > IN_FLIGHT_BYTES:
            if stop.is_set():
                return False
            self._turn(writer, timeout_s=0.1)
        while not writer.send(fitted, held.position):
            if stop.is_set():
                return False
            self._turn(writer, timeout_s=0.1)
        if not self._in_flight:
            self._heard_at = time.monotonic()
        given = held.capture.traceparent
        self._in_flight.append(
            _Sent(held.position, size, time.time_ns(), given if tracing.sampled(given) else "")
        )
        self._in_flight_bytes += size
        return True

    def _turn(self, writer: BusWriter, *, timeout_s: float) -> None:
        """Takes acknowledgements that have come, and stores the mark if it is time."""
        writer.poll(timeout_s)
        self._advance()
        now = time.monotonic()
        if now - self._stored_at >= STORE_EVERY_S:
            self._store()
        if self._in_flight and now - self._heard_at >= _SILENCE_S:
            self._heard_at = now
            log.warning("producing.broker_silent", reason=writer.complaint, in_flight=len(self._in_flight))

    def _finish(self, writer: BusWriter) -> None:
        """Waits a moment for what is still in flight."""
        end = time.monotonic() + LAST_WAIT_S
        while self._in_flight and (left := end - time.monotonic()) > 0:
            writer.poll(min(left, 0.1))
            self._advance()

    def _advance(self) -> None:
        """Moves `_reached` over acknowledged captures, up to the first that is not."""
        oldest_ns, count = 0, 0
        while self._in_flight and self._in_flight[0].position in self._acknowledged:
            sent = self._in_flight.popleft()
            self._acknowledged.discard(sent.position)
            self._in_flight_bytes -= sent.size
            self._reached = sent.position
            self._heard_at = time.monotonic()
            oldest_ns, count = oldest_ns or sent.at_ns, count + 1
            if sent.traceparent:
                about = {
                    **self._sending,
                    "coinlake.position": sent.position,
                    "messaging.message.body.size": sent.size,
                }
                tracing.happened(sent.traceparent, "send", SpanKind.PRODUCER, about, since_ns=sent.at_ns)
        if count:
            named = {name.replace(".", "__"): value for name, value in self._sending.items()}
            metrics.SENT_MESSAGES.add(count, **named)
            metrics.SEND_DURATION.record((time.time_ns() - oldest_ns) / 1e9, **named)

    def _store(self) -> None:
        """Moves the mark to what was reached."""
        self._stored_at = time.monotonic()
        metrics.PRODUCER_IN_FLIGHT.set(len(self._in_flight))
        after = Mark(self._reached, self._topic.id)
        if after == self._mark:
            return
        if not self._positions.move(self._mark, after):
            raise _Moved
        self._mark = after
        self._tell_mark()

    def _tell_mark(self) -> None:
        metrics.PRODUCER_MARK.set(self._mark.position)
        metrics.PRODUCER_MARK_MOVED.set(time.time())

    def _check_topic(self, aside: ThreadPoolExecutor) -> None:
        """Finds out from time to time, without waiting for it, whether the topic is still the same."""
        if self._check is None:
            if time.monotonic() - self._checked_at >= TOPIC_CHECK_S:
                self._check = aside.submit(self._bus.topic)
            return
        if not self._check.done():
            return
        self._checked_at, check, self._check = time.monotonic(), self._check, None
        if isinstance(check.exception(), TryAgain):
            return  # the broker is away; the writer waits for it
        if check.result() != self._topic:
            raise _TopicReplaced

    @property
    def _last_sent(self) -> int:
        return self._in_flight[-1][0] if self._in_flight else self._reached

    def _first_position(self) -> int:
        """Where to begin: at the mark, if it is about this topic and this lake as it is now."""
        if self._mark == Mark():
            return 0
        if self._mark.topic_id != self._topic.id:
            log.warning("producing.topic_is_new", topic=self._bus.settings.topic, mark=self._mark.position)
            return 0
        end = self._lake.end()
        if self._mark.position > end:
            log.warning("producing.lake_ends_before_mark", mark=self._mark.position, end=end)
            return 0
        return self._mark.position
