"""Waiting for alerts at the webhook: that they come in time, that they end, and that no other comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from observed.listener import Listener, Notice
from observed.scene import Scene
from observed.shipped import alerts

_ENDED_WITHIN_S = 150
_LOOK_AGAIN_S = 0.1


BURNING = ("FreshnessBurningFast", "FreshnessBurningSlowly", "EndToEndBurningFast", "EndToEndBurningSlowly")
"""What remembers a trouble for an hour or more: here for two minutes, and for twelve."""

SLOW = ("IngestionLagging", "PipelineStalled", "PricesFrozen", "ConsumerLagGrowing", "TopicHeadroomShort")
"""What is true of a busy machine, too, where minutes have become seconds."""


class Due(NamedTuple):
    """An alert that has to come."""

    alert: str
    text: str
    """What its summary or description has in it."""
    within_s: float
    """From the provocation to the webhook. A thirtieth of what is stated, and what a busy machine adds."""


@contextmanager
def provoked(scene: Scene, *dues: Due, also: Sequence[str] = ()) -> Iterator[None]:
    """Around a provocation, which the block begins: each of these comes in time, and no other but `also`
    and those that remember or only mean that all is slow.

    What follows the block mends the cause; `ended` waits for the ends.
    """
    listener, began, since = scene.watching.listener, time.monotonic(), len(scene.watching.listener.notices)
    yield
    for due in dues:
        # What remembers may have been told before, and still be true.
        notice = _heard(scene, "firing", due, 0 if due.alert in BURNING else since, began + due.within_s)
        print(f"{notice.at - began:6.1f} s  {due.alert}: {notice.text}", flush=True)
        assert notice.receiver == _receiver(due.alert)
    fired = {notice.alert for notice in listener.notices[since:] if notice.status == "firing"}
    # A message tells of its whole group: of what fired before, too.
    before = {notice.alert: notice.status for notice in listener.notices[:since]}
    known = {alert for alert, status in before.items() if status == "firing"}
    wanted = {due.alert for due in dues}
    unexpected = fired - wanted - known - {"Watchdog", "DiskFilling", *BURNING, *SLOW, *also}
    assert not unexpected, [notice for notice in listener.notices[since:] if notice.alert in unexpected]


def ended(scene: Scene, *dues: Due) -> None:
    """Waits until each of these is said to have ended, since it was said to fire."""
    for due in dues:
        notice = _heard(scene, "resolved", due, 0, time.monotonic() + _ENDED_WITHIN_S)
        print(f"{' ':9} {due.alert} has ended: {notice.text}", flush=True)


def until(scene: Scene, holds: Callable[[], object], within_s: float, what: str) -> None:
    """Waits for a condition; a failure shows what fires."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {within_s} s.\n{_state(scene)}"
        time.sleep(_LOOK_AGAIN_S)


def quiet(scene: Scene) -> bool:
    """Whether nothing fires but the heartbeat, what remembers, and what is said of others' disks."""
    firing = {
        alert["labels"]["alertname"]
        for alert in scene.watching.prometheus.alerts()
        if alert["state"] == "firing"
    }
    return firing <= {"Watchdog", "DiskFilling", *BURNING}


def _heard(scene: Scene, status: str, due: Due, since: int, deadline: float) -> Notice:
    listener: Listener = scene.watching.listener
    while True:
        told = [
            notice
            for notice in listener.notices[since:]
            if notice.alert == due.alert and due.text in notice.text
        ]
        wanted = told[-1:] if status == "resolved" else [one for one in told if one.status == "firing"][:1]
        if wanted and wanted[0].status == status:
            return wanted[0]
        assert time.monotonic() < deadline, f"{due} was not {status} in time.\n{_state(scene)}"
        time.sleep(_LOOK_AGAIN_S)


def _receiver(name: str) -> str:
    (severity,) = (alert.severity for alert in alerts() if alert.name == name)
    return {"page": "on-call", "ticket": "chat"}[severity]


def _state(scene: Scene) -> str:
    told = [(one["labels"], one["state"], one["value"]) for one in scene.watching.prometheus.alerts()]
    return "\n".join(map(str, [*told, *scene.watching.listener.notices[-20:]]))
