"""Telling whoever wants to know that something went wrong, or is over: by Apprise, to any of its services.

Each address has a thread of its own, so that one that hangs holds up no other, and nothing else: capturing
does not wait for it, nor the end of the program for longer than two seconds. What is told is remembered in
`alerts.db`; a crash right between the two tells it once more.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

import structlog

from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.settings import Secret
from coinlake_cli.alerts.episodes import Episodes, Notice

LOOK_EVERY_S = 2.0
"""How soon a notice goes out at the latest, with an address that takes it."""
ANSWER_S = 20.0
"""How long an address has to take a notice."""
PAUSES_S = (5.0, 15.0, 60.0, 300.0)
"""Pauses between tries with an address that takes nothing; the last one repeats."""
_MOST_HANGING = 3
"""Calls to one address that were given up and have not ended: with so many, no other is begun."""
LAST_WAIT_S = 2.0
"""How long the end of the program waits for what is being told, so that it is not told again."""

log = structlog.get_logger("coinlake.alerts")


class Target(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """What logs call it: no secret."""

    @property
    def key(self) -> str:
        """Tells it from others, and is the same after a restart: no secret."""

    def send(self, title: str, body: str, kind: str) -> bool:
        """False where it was not taken. `kind`: failure, warning or success."""


class Address:
    """One of `alerts.notify`. `FixConfiguration`, which does not show it, where Apprise cannot use it."""

    def __init__(self, address: str, number: int) -> None:
        import apprise  # takes half a second to load, and most deployments have no address

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines may have addresses in them
        self.name = f"address {number} of alerts.notify"
        self.key = hashlib.blake2b(address.encode(), digest_size=8).hexdigest()
        service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if service is None:
            raise FixConfiguration(
                f"alerts.notify: nothing can be sent to {self.name}. Write it as Apprise does: "
                "jsons://host/path for a webhook (json:// without TLS), dbus:// for this desktop, or as "
                "others of its services have it; what a service needs besides must be installed."
            )
        self._service = service

    def send(self, title: str, body: str, kind: str) -> bool:
        """By Apprise, which has its own time-outs of some seconds for connecting and for silence."""
        return bool(self._service.notify(body=body, title=title, notify_type=kind))


def addresses(notify: Secret | None) -> list[Address]:
    """Those of the settings, with whitespace between; none of them twice."""
    texts = dict.fromkeys(notify.get_secret_value().split() if notify else ())
    return [Address(text, number) for number, text in enumerate(texts, start=1)]


@contextmanager
def telling(episodes: Episodes, targets: Sequence[Target], now: Callable[[], datetime]) -> Iterator[None]:
    """Tells targets of what begins and ends, for as long as the block lasts, and `LAST_WAIT_S` longer."""
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=Teller(episodes, target, now).run, args=(stop,), name="coinlake-telling", daemon=True
        )
        for target in targets
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        end_s = time.monotonic() + LAST_WAIT_S
        for thread in threads:
            thread.join(max(0.0, end_s - time.monotonic()))


class Teller:
    """Tells one target, notice after notice in their order."""

    def __init__(self, episodes: Episodes, target: Target, now: Callable[[], datetime]) -> None:
        self._episodes = episodes
        self._target = target
        self._now = now
        self._hanging: list[threading.Thread] = []

    def run(self, stop: threading.Event) -> None:
        """Looks for notices until `stop`, and tries again where one was not taken."""
        failures = 0
        while not stop.is_set():
            is_well = self._turn(stop)
            if is_well and failures:
                log.info("alerts.told_again", target=self._target.name, failures=failures)
            failures = 0 if is_well else failures + 1
            pause_s = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else LOOK_EVERY_S
            if failures and not stop.is_set():
                log.warning("alerts.not_told", target=self._target.name, again_in_s=pause_s)
            stop.wait(pause_s)

    def _turn(self, stop: threading.Event) -> bool:
        """Tells all that is new, or until `stop`; False where something was not taken."""
        try:
            for notice in self._episodes.untold(self._target.key, self._now()):
                if stop.is_set():
                    break
                if not self._take(notice):
                    return False
                self._episodes.tell(notice, self._target.key)
        except CoinlakeError as error:
            log.warning("alerts.file_away", reason=str(error))
        return True

    def _take(self, notice: Notice) -> bool:
        """Sends a notice in a thread that may be left behind: an answer may drip for ever."""
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= _MOST_HANGING:
            return False
        taken = False

        def send() -> None:
            nonlocal taken
            try:
                taken = self._target.send(*worded(notice))
            except Exception as error:  # of a service's plugin; its words may hold the address
                log.warning("alerts.send_failed", target=self._target.name, error=type(error).__name__)

        sending = threading.Thread(target=send, name="coinlake-notice", daemon=True)
        sending.start()
        sending.join(ANSWER_S)
        if sending.is_alive():
            self._hanging.append(sending)
            return False
        return taken


def worded(notice: Notice) -> tuple[str, str, str]:
    """Title, text and kind of a notice."""
    episode = notice.episode
    named = f"{episode.alert}: {episode.subject}" if episode.subject else episode.alert
    began = f"{episode.began_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if notice.edge == "begin":
        kind = "failure" if episode.severity == "page" else "warning"
        return f"Coinlake: {named}", f"{episode.says}\nSince {began}.", kind
    ended = f"{episode.ended_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if episode.ended_at else ""
    return f"Coinlake: {named} is over", f"It was: {episode.says}\nFrom {began} to {ended}.", "success"
