"""A producer as a process: it works until it is told to stop, and says how it ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.lake import Lake
from coinlake.positions import Positions
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.producing import Producing, Wait, look_again

DONE, NEEDS_A_PERSON, AWAY = 0, 3, 4
"""Exit codes, as those of the program `coinlake`."""

log = structlog.get_logger("coinlake.producer")


def publish_until_told(
    lake: Lake, positions: Positions, bus: BusSettings, *, wait: Wait = look_again
) -> None:
    """Publishes until SIGTERM or SIGINT; what was acknowledged by then is stored. `wait`: see `Producing`."""
    with _told_to_stop() as stop:
        Producing(lake, positions, Bus(bus), wait=wait).run(stop)
    log.info("producer.stopped")


def exit_code_of(program: Callable[[], None]) -> int:
    """Runs it; its exit code, and the reason in the log where it could not go on."""
    try:
        program()
    except CoinlakeError as error:
        log.error("producer.ended", reason=str(error))
        return NEEDS_A_PERSON if isinstance(error, FixConfiguration) else AWAY
    return DONE


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    yield stop
