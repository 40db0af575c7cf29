"""Looks at a deployment again and again by the rules, and keeps what it finds as episodes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from coinlake.errors import CoinlakeError
from coinlake_cli.alerts.episodes import Episodes
from coinlake_cli.alerts.notices import addresses, telling
from coinlake_cli.alerts.rules import FALLING, RULES, Rule, Seen, open_still
from coinlake_cli.deployment import Deployment
from coinlake_cli.lag import hops

LOOK_EVERY_S = 10.0

log = structlog.get_logger("coinlake.alerts")


class Watch:
    """Holds what `look` sees against the rules; something must hold for a rule's time before it counts."""

    def __init__(self, look: Callable[[], Seen], episodes: Episodes) -> None:
        self._look = look
        self._episodes = episodes
        self._suspected: dict[tuple[str, str], datetime] = {}

    def step(self) -> None:
        """Looks once. Raises as `look` and `Episodes` do."""
        seen = self._look()
        self._forget_rules_that_are_gone(seen)
        for rule in RULES:
            if rule.can_tell(seen):
                self._hold(rule, seen)

    def _hold(self, rule: Rule, seen: Seen) -> None:
        known = {one.subject: one for one in self._episodes.open() if one.alert == rule.name}
        found = {one.subject: one for one in rule.look(seen)}
        for name, subject in list(self._suspected):
            if name == rule.name and subject not in found:
                del self._suspected[name, subject]
        for subject, one in found.items():
            since = self._suspected.setdefault((rule.name, subject), seen.now)
            if subject not in known and seen.now - since >= rule.holds_for:
                self._episodes.begin(rule.name, subject, rule.severity, one.says, seen.now)
                log.warning("alerts.began", alert=rule.name, subject=subject, reason=one.says)
        for subject in known.keys() - open_still(rule, seen):
            self._episodes.end(known[subject], seen.now)
            log.info("alerts.ended", alert=rule.name, subject=subject)

    def _forget_rules_that_are_gone(self, seen: Seen) -> None:
        names = {rule.name for rule in RULES}
        for episode in self._episodes.open():
            if episode.alert not in names:
                self._episodes.end(episode, seen.now)


class Look:
    """What a deployment shows. Of a warehouse that is away, what it showed last."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._since = deployment.clock.now()
        self._last = Seen(self._since, self._since, changes=None, hops=None)

    def __call__(self) -> Seen:
        deployment = self._deployment
        newest, changes, lag = self._last.newest_row_at, self._last.changes, self._last.hops
        try:
            newest = deployment.reader.newest_row_at()
            changes = deployment.reader.changes_24h(FALLING)
            lag = hops(deployment)
        except CoinlakeError as error:
            log.info("alerts.warehouse_away", reason=str(error))
        self._last = Seen(
            now=deployment.clock.now(),
            since=self._since,
            feeds=[feed for feed in deployment.state.feeds() if feed.source in deployment.sources],
            newest_row_at=newest,
            changes=changes,
            hops=lag,
        )
        return self._last


@contextmanager
def watching(deployment: Deployment) -> Iterator[Episodes]:
    """Watches a deployment, and tells the addresses of its settings, for as long as the block lasts.

    Raises `FixConfiguration` for an address that cannot be used. Whatever goes wrong later costs alerts
    only: all of it happens in threads that nobody waits for.
    """
    targets = addresses(deployment.settings.alerts.notify)
    with Episodes(deployment.settings.folder) as episodes:
        stop = threading.Event()
        watch = Watch(Look(deployment), episodes)
        thread = threading.Thread(target=_run, args=(watch, stop), name="coinlake-alerts", daemon=True)
        thread.start()
        try:
            with telling(episodes, targets, deployment.clock.now):
                yield episodes
        finally:
            stop.set()
            thread.join(1)


def _run(watch: Watch, stop: threading.Event) -> None:
    is_well = True
    while not stop.is_set():
        try:
            watch.step()
            is_well = True
        except Exception as error:  # also a defect of a rule costs alerts only
            if is_well and not stop.is_set():
                log.error("alerts.not_watching", error=f"{type(error).__name__}: {error}")
            is_well = False
        stop.wait(LOOK_EVERY_S)
