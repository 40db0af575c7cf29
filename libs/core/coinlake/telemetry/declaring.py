"""How a metric is declared: its name, unit, labels and help, and the name that Prometheus knows it by.

A metric records through OpenTelemetry's API, so it costs next to nothing while no collector is configured.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from opentelemetry import metrics

Kind = Literal["counter", "histogram", "gauge"]

OTHER = "other"
"""Stands in for a value that a label does not list: no venue and no defect can make series without end."""

_SUFFIXES = {"s": "_seconds", "By": "_bytes"}
"""What the collector makes of a unit; a unit in braces is a note, of which it makes nothing."""

_meter = metrics.get_meter("coinlake")
_is_recording = False

Value = str | int
"""Of a label."""


def record() -> None:
    """Says that metrics of this process are sent. Before, and where they are not, recording costs nothing."""
    global _is_recording
    _is_recording = True


@dataclass(frozen=True, slots=True)
class Label:
    """What a metric is told apart by; `bound` says why its values are few."""

    name: str
    bound: str
    values: tuple[str, ...] | None = None
    """Every value there is, besides `OTHER`; None where settings, plugins or servers have named them."""

    @property
    def prometheus_name(self) -> str:
        """The label as PromQL knows it."""
        return self.name.replace(".", "_")

    def kept(self, value: Value) -> Value:
        """The value, or `OTHER` where it is none of those listed; "" stays: the label is absent."""
        return value if self.values is None or value == "" or value in self.values else OTHER


class Metric:
    """A declared metric. Labels are given by keyword, in which a dot is written as `__`."""

    kind: ClassVar[Kind]

    def __init__(self, name: str, unit: str, help_text: str, *labels: Label) -> None:
        self.name = name
        self.unit = unit
        self.help = help_text
        self.labels: Sequence[Label] = labels
        self._by_keyword = {label.name.replace(".", "__"): label for label in labels}

    @property
    def prometheus_name(self) -> str:
        """The name of its series in Prometheus, or of a histogram's before `_bucket`, `_sum` and `_count`."""
        suffix = _SUFFIXES.get(self.unit, "") + ("_total" if self.kind == "counter" else "")
        return self.name.replace(".", "_") + suffix

    def attributes(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """The labels as OpenTelemetry takes them, without those that are "".

        Raises `ValueError` where one is missing or not declared."""
        if given.keys() != self._by_keyword.keys():
            raise ValueError(f"{self.name} has the labels {sorted(self._by_keyword)}, not {sorted(given)}")
        kept = {label.name: label.kept(given[keyword]) for keyword, label in self._by_keyword.items()}
        return {name: value for name, value in kept.items() if value != ""}


class Counter(Metric):
    """What only grows: how much happened, ever."""

    kind = "counter"

    def __init__(self, name: str, unit: str, help_text: str, *labels: Label) -> None:
        super().__init__(name, unit, help_text, *labels)
        self._instrument = _meter.create_counter(name, unit, help_text)

    def add(self, amount: float = 1, /, **labels: Value) -> None:
        """Counts `amount` more."""
        if _is_recording:
            self._instrument.add(amount, self.attributes(labels))


class Histogram(Metric):
    """How long or large things were, by buckets."""

    kind = "histogram"

    def __init__(
        self, name: str, unit: str, help_text: str, *labels: Label, buckets: Sequence[float]
    ) -> None:
        super().__init__(name, unit, help_text, *labels)
        self.buckets = tuple(buckets)
        self._instrument = _meter.create_histogram(
            name, unit, help_text, explicit_bucket_boundaries_advisory=self.buckets
        )

    def record(self, amount: float, /, **labels: Value) -> None:
        """Counts one more that was so long or large."""
        if _is_recording:
            self._instrument.record(amount, self.attributes(labels))


class Gauge(Metric):
    """What goes up and down, set by whoever changes it."""

    kind = "gauge"

    def __init__(self, name: str, unit: str, help_text: str, *labels: Label) -> None:
        super().__init__(name, unit, help_text, *labels)
        self._instrument = _meter.create_gauge(name, unit, help_text)

    def set(self, amount: float, /, **labels: Value) -> None:
        """It is so much now."""
        if _is_recording:
            self._instrument.set(amount, self.attributes(labels))


class Watched(Metric):
    """What goes up and down by itself and is looked up from time to time, by one who watches
    (`coinlake.telemetry.watching`). Its series end with the watching: an old value is never shown as new."""

    kind = "gauge"

    def __init__(self, name: str, unit: str, help_text: str, *labels: Label) -> None:
        super().__init__(name, unit, help_text, *labels)
        self._seen: Mapping[tuple[tuple[str, Value], ...], float] = {}
        self._good_until = 0.0
        _meter.create_observable_gauge(name, [self._observed], unit, help_text)

    def see(self, seen: Iterable[tuple[float, Mapping[str, Value]]], *, good_for_s: float) -> None:
        """Replaces what was seen last; so long it is told, unless something is seen again."""
        self._seen = {tuple(self.attributes(labels).items()): amount for amount, labels in seen}
        self._good_until = time.monotonic() + good_for_s

    def _observed(self, _: metrics.CallbackOptions) -> Iterator[metrics.Observation]:
        if time.monotonic() < self._good_until:
            for labels, amount in self._seen.items():
                yield metrics.Observation(amount, dict(labels))
