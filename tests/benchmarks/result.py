"""What a measurement says, and how it is measured fairly."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import structlog


@dataclass(frozen=True)
class Result:
    """A ratio of two things measured in one run, and the goal it is held against."""

    name: str
    ratio: float
    goal: float
    more_is_better: bool
    said: str
    """The figures behind the ratio."""

    @property
    def reached(self) -> bool:
        """Whether the ratio is at the goal or better."""
        return self.ratio >= self.goal if self.more_is_better else self.ratio <= self.goal


def in_turn(rounds: int, *works: Callable[[int], object]) -> list[float]:
    """Median seconds of each work, run in turn (A B A B …), so that a drifting machine drifts for all.

    Each work is given the number of the round; round 0 warms up and does not count.
    """
    taken: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, seconds in zip(works, taken, strict=True):
            seconds.append(timed(work, number))
    return [median(seconds[1:]) for seconds in taken]


def timed(work: Callable[[int], object], number: int) -> float:
    """Seconds that a work takes."""
    began = time.perf_counter()
    work(number)
    return time.perf_counter() - began


def quietly() -> None:
    """Logs nothing but errors."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def per_s(rows: int, seconds: float) -> str:
    """Rows a second, for people."""
    return f"{rows / seconds:,.0f} rows/s"


def last_median(seconds: Sequence[float], count: int) -> float:
    """The median of the last so many."""
    return median(seconds[-count:])
