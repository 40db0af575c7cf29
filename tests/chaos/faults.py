"""The faults: what is killed, paused or stopped, when, for how long; all of it drawn from one seed.

They are dealt like cards: each as often as the deck has it, in an order that the dice give.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial

from chaos.points import PRODUCER
from chaos.processes import Program, family, send
from chaos.scene import MEMBERS, Scene

AT_POINT_S = 20.0
"""How long an order to kill at a commit point stands; Spark may be starting meanwhile."""
_LONGEST_S = 3.0
"""A part is down or paused for up to so long."""
_CALM_S = 1.0
"""Between two faults."""
_TOGETHER = 0.3
"""Of the faults that may, so many come while another one lasts."""
_LOOK_AGAIN_S = 0.05

Harm = AbstractContextManager[bool]
"""Does harm on entering, and says whether it was done; mends at the end."""
Find = Callable[[Scene], list[int]]


@dataclass(frozen=True)
class Fault:
    """A fault of one part."""

    part: str
    how: str
    kills: bool
    strike: Callable[[Scene, str], Harm]
    alone: bool = False
    """Whether it needs all other parts at work."""

    def __str__(self) -> str:
        return f"{self.part} {self.how}"


@dataclass
class Tally:
    """What was done."""

    kills: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """What found nothing to strike: no worker at that moment, a commit point not reached in time."""


def storm(scene: Scene, dice: random.Random, goes_on: Callable[[Tally], bool]) -> Tally:
    """Strikes until it is told to end; then everything runs again."""
    begun = time.monotonic()
    tally = Tally()
    deck: list[Fault] = []
    while goes_on(tally):
        deck = deck or dice.sample(DECK, len(DECK))
        with ExitStack() as stack:
            for fault in _hand(deck, dice):
                struck = stack.enter_context(fault.strike(scene, fault.part))
                count = (tally.kills if fault.kills else tally.others) if struck else tally.missed
                count[str(fault)] += 1
                print(f"{time.monotonic() - begun:8.1f} s  {fault}{'' if struck else ': missed'}", flush=True)
                time.sleep(dice.uniform(0, _LONGEST_S))  # a fault's length: no condition is waited for
        scene.revive()
        time.sleep(dice.uniform(0, _CALM_S))
    return tally


def _hand(deck: list[Fault], dice: random.Random) -> list[Fault]:
    """The next fault, or the next two."""
    first = deck.pop()
    together = dice.random() < _TOGETHER
    if together and deck and not first.alone and not deck[-1].alone and deck[-1].part != first.part:
        return [first, deck.pop()]
    return [first]


@contextmanager
def _killed(scene: Scene, part: str) -> Iterator[bool]:
    scene.parts[part].kill()
    yield True
    scene.parts[part].start()


@contextmanager
def _stopped(scene: Scene, part: str) -> Iterator[bool]:
    scene.parts[part].stop()
    yield True
    scene.parts[part].start()


@contextmanager
def _paused(scene: Scene, part: str) -> Iterator[bool]:
    paused = family(scene.parts[part].pid)
    send(signal.SIGSTOP, paused)
    yield True
    send(signal.SIGCONT, paused)


@contextmanager
def _power_cut(scene: Scene, _: str) -> Iterator[bool]:
    for part in scene.parts.values():
        part.kill()
    yield True
    for part in scene.parts.values():
        part.start()


@contextmanager
def _one_of(scene: Scene, _: str, *, find: Find, how: signal.Signals) -> Iterator[bool]:
    found = find(scene)[:1]
    send(how, found)
    yield bool(found)
    send(signal.SIGCONT, found)


@contextmanager
def killed_at(
    scene: Scene,
    part: str,
    *,
    point: str,
    timeout_s: float = AT_POINT_S,
    meanwhile: AbstractContextManager[object] | None = None,
) -> Iterator[bool]:
    """The part is killed when the producer or the Spark program reaches the point, which is waited for."""
    victim = scene.parts.get(part)  # none for a worker, which Spark replaces
    scene.orders.give(point, 0 if victim is None or isinstance(victim, Program) else victim.pid)
    end = time.monotonic() + timeout_s
    with meanwhile or nullcontext():
        while scene.orders.stands(point) and time.monotonic() < end:
            time.sleep(_LOOK_AGAIN_S)
    struck = not scene.orders.withdraw(point)
    yield struck
    if struck and victim is not None:
        victim.kill()  # what is left of it
        victim.start()


def _at(point: str, part: str) -> Fault:
    return Fault(part, f"killed at {point}", True, partial(killed_at, point=point), alone=True)


_SERVERS = [*(f"mongod {number}" for number in range(MEMBERS)), "broker", "PostgreSQL"]
_worker = partial(_one_of, find=Scene.workers)
_java = partial(_one_of, find=Scene.java)

_CHEAP = [*_SERVERS, "broker", "PostgreSQL", "producer", "producer", "producer"]

DECK = [
    *[Fault(part, "killed", True, _killed) for part in _CHEAP],
    *[Fault("worker", "killed", True, partial(_worker, how=signal.SIGKILL))] * 5,
    Fault("Spark", "killed", True, _killed),
    Fault("Spark's Java", "killed", True, partial(_java, how=signal.SIGKILL)),
    Fault("everything", "killed", True, _power_cut, alone=True),
    *[Fault(part, "paused", False, _paused) for part in [*_SERVERS[2:], "producer", "Spark"]],
    Fault("worker", "paused", False, partial(_worker, how=signal.SIGSTOP)),
    *[Fault(part, "restarted", False, _stopped) for part in [*_SERVERS[2:], "producer"]],
    *[_at(point, "producer") for point in PRODUCER],
    _at("message_sent", "broker"),
    _at("message_acknowledged", "mongod 0"),
    _at("rows_staged", "worker"),
    _at("rows_staged", "PostgreSQL"),
    _at("batch_begun", "broker"),
    _at("batch_staged", "PostgreSQL"),
    _at("batch_closing", "PostgreSQL"),
    _at("batch_closing", "Spark"),
    _at("next_staged", "PostgreSQL"),
    _at("next_staged", "Spark"),
    _at("batch_committed", "PostgreSQL"),
    _at("batch_committed", "Spark"),
]
"""Spark's driver and its Java, which take long to start, are struck least."""
