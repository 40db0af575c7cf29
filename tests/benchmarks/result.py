"""What a measurement says, and how it is measured fairly.

Everything is a ratio of two things measured in turn within one run: the machine, and what else it is doing,
changes the figures and hardly their ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


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

    @property
    def wanted(self) -> str:
        """The goal in signs."""
        return f"{'>=' if self.more_is_better else '<='} {self.goal:.2f}"

    def document(self) -> dict[str, Any]:
        """For machines that read the report."""
        return {
            "name": self.name,
            "goal": self.wanted,
            "ratio": round(self.ratio, 3),
            "reached": self.reached,
            "figures": self.said,
        }


@dataclass(frozen=True)
class Turns:
    """Seconds that two works took, round by round."""

    one: list[float]
    other: list[float]

    def add(self, more: Turns) -> None:
        """Counts further rounds, too."""
        self.one.extend(more.one)
        self.other.extend(more.other)

    @property
    def medians(self) -> tuple[float, float]:
        """Seconds of each."""
        return median(self.one), median(self.other)

    @property
    def ratio(self) -> float:
        """How many times as long as the one the other takes: the median of the rounds' own ratios."""
        return median(other / one for one, other in zip(self.one, self.other, strict=True))


Work = Callable[[int], object]
"""What is measured; it is given the number of the round."""


def in_turn(rounds: int, one: Work, other: Work, prepare: Work = lambda _: None) -> Turns:
    """Runs both works in each round, one first and then the other first; `prepare` is not measured.

    Round 0 warms up and does not count.
    """
    works, taken = (one, other), ([], [])  # type: tuple[Work, Work], tuple[list[float], list[float]]
    for number in range(rounds + 1):
        prepare(number)
        for side in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            works[side](number)
            taken[side].append(time.perf_counter() - began)
    return Turns(taken[0][1:], taken[1][1:])


def per_s(rows: int, seconds: float) -> str:
    """Rows a second, for people."""
    return f"{rows / seconds:,.0f} rows/s"
