"""Captures once more to the topic: the repair of what an account names as missing.

It moves no mark and needs no pause of the producer. A capture that gets into the topic twice is loaded once.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from coinlake.errors import TryAgain
from coinlake.lake import Lake
from coinlake.model import Held
from coinlake_bus.kafka import Bus
from coinlake_bus.message import encode
from coinlake_bus.producing import BATCH_BODY_BYTES, BATCH_CAPTURES, IN_FLIGHT_BYTES
from coinlake_bus.writer import BusWriter

SILENCE_S = 30.0
"""A broker that acknowledges nothing for so long is away."""

_POLL_S = 0.1


def republish(lake: Lake, bus: Bus, positions: Iterable[int], *, silence_s: float = SILENCE_S) -> int:
    """Sends the captures at these positions again; how many, each acknowledged by the topic.

    Positions that the lake does not have are left out. Raises `TryAgain` where lake or broker are away, and
    `FixConfiguration` where one refuses us; then some were sent, and all may be sent again.
    """
    sending = _Sending(lake.id, bus, silence_s)
    return sending.run(_held(lake, sorted(set(positions))))


class _Sending:
    """One client of Kafka at work, with what it has not acknowledged yet."""

    def __init__(self, lake_id: UUID, bus: Bus, silence_s: float) -> None:
        self._lake_id = lake_id
        self._bus = bus
        self._silence_s = silence_s
        self._in_flight: dict[int, int] = {}
        """Size of each message by its position."""
        self._in_flight_bytes = 0
        self._heard_at = time.monotonic()

    def run(self, captures: Iterable[Held]) -> int:
        sent = 0
        with BusWriter(self._bus.settings, self._bus.topic(to="write"), self._acknowledged) as writer:
            for held in captures:
                self._send(writer, held)
                sent += 1
            while self._in_flight:
                self._turn(writer, _POLL_S)
        return sent

    def _send(self, writer: BusWriter, held: Held) -> None:
        message, size = writer.fitted(encode(held, self._lake_id))
        while self._in_flight and self._in_flight_bytes + size > IN_FLIGHT_BYTES:
            self._turn(writer, _POLL_S)
        while not writer.send(message, held.position):
            self._turn(writer, _POLL_S)
        if not self._in_flight:
            self._heard_at = time.monotonic()
        self._in_flight[held.position] = size
        self._in_flight_bytes += size
        self._turn(writer, 0)

    def _turn(self, writer: BusWriter, timeout_s: float) -> None:
        writer.poll(timeout_s)
        if time.monotonic() - self._heard_at > self._silence_s:
            raise TryAgain(
                f"Kafka at {self._bus.settings.servers} acknowledged nothing for {self._silence_s:.0f} s "
                f"({writer.complaint}). Sending captures again does no harm."
            )

    def _acknowledged(self, position: int) -> None:
        self._in_flight_bytes -= self._in_flight.pop(position)
        self._heard_at = time.monotonic()


def _held(lake: Lake, positions: Sequence[int]) -> Iterator[Held]:
    """The captures at these positions, which rise; neighbours are read together."""
    wanted = set(positions)
    place = 0
    while place < len(positions):
        neighbours = 1
        while neighbours < BATCH_CAPTURES and positions[place] + neighbours in wanted:
            neighbours += 1
        batch = lake.tail(positions[place] - 1, captures=neighbours, body_bytes=BATCH_BODY_BYTES)
        if not batch:
            return
        yield from (held for held in batch if held.position in wanted)
        place = bisect_right(positions, batch[-1].position)
