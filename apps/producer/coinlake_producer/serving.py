"""A producer as a process: it works until it is told to stop, and says how it ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import NoReturn

import structlog

from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.lake import Lake
from coinlake.positions import Positions
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.producing import Producing, Wait, look_again

DONE, NEEDS_A_PERSON, AWAY = 0, 3, 4
"""Exit codes, as those of the program `coinlake`."""

STOP_S = 5.0
"""How long a producer told to stop has for it: a server that hangs is not waited for."""

log = structlog.get_logger("coinlake.producer")


def publish_until_told(
    lake: Lake, positions: Positions, bus: BusSettings, *, wait: Wait = look_again
) -> None:
    """Publishes until SIGTERM or SIGINT; what was acknowledged by then is stored. `wait`: see `Producing`.

    Where a server does not answer meanwhile, the process ends after `STOP_S`, as if it was killed: what the
    mark does not cover is published once more.
    """
    ended: Future[None] = Future()
    with _told_to_stop() as stop:
        producing = Producing(lake, positions, Bus(bus), wait=wait)

        def publish() -> None:
            try:
                producing.run(stop)
                ended.set_result(None)
            except BaseException as error:
                ended.set_exception(error)
            finally:
                stop.set()

        threading.Thread(target=publish, name="publish", daemon=True).start()
        stop.wait()
        if not wait_for([ended], STOP_S).done:
            _cut_short()
        ended.result()
    log.info("producer.stopped")


def exit_code_of(program: Callable[[], None]) -> int:
    """Runs it; its exit code, and the reason in the log where it could not go on."""
    try:
        program()
    except CoinlakeError as error:
        log.error("producer.ended", reason=str(error))
        return NEEDS_A_PERSON if isinstance(error, FixConfiguration) else AWAY
    return DONE


def _cut_short() -> NoReturn:
    """Ends the process without waiting for its threads."""
    log.warning(
        "producer.cut_short",
        reason=f"MongoDB or Kafka did not answer within {STOP_S:.0f} s. What was published since the mark "
        "was stored last is published once more at the next start.",
    )
    sys.stderr.flush()
    os._exit(DONE)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    yield stop
