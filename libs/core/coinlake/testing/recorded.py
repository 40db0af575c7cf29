"""What was recorded of metrics and spans in this process, for tests of the lines that record them.

OpenTelemetry has one provider a process, for good. The one made here gives what came since it was asked last.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from coinlake.telemetry import declaring, tracing
from coinlake.telemetry.declaring import Metric, Value


class Recorded:
    """The numbers of each metric since the last look, and the spans since the last `forget`."""

    def __init__(self) -> None:
        kinds: tuple[type, ...] = (Counter, Histogram)
        delta = dict.fromkeys(kinds, AggregationTemporality.DELTA)
        self._reader = InMemoryMetricReader(preferred_temporality=delta)
        metrics_api.set_meter_provider(MeterProvider([self._reader]))
        self._spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        trace_api.set_tracer_provider(provider)
        if trace_api.get_tracer_provider() is not provider:
            raise RuntimeError("Telemetry was started before: ask for what is recorded first.")
        tracing.record()
        declaring.record()
        self._points: dict[str, list[tuple[dict[str, Any], float]]] = {}

    def forget(self) -> None:
        """Lets go of what was recorded so far."""
        self._reader.get_metrics_data()
        self._spans.clear()
        self._points = {}

    def look(self) -> None:
        """Takes up what was recorded since the last look."""
        self._points = {}
        found = self._reader.get_metrics_data()
        for metric in (
            metric
            for resource in (found.resource_metrics if found else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ):
            self._points[metric.name] = [
                (dict(point.attributes or {}), point.count if hasattr(point, "count") else point.value)
                for point in metric.data.data_points
            ]

    def of(self, metric: Metric, **labels: Value) -> float:
        """The sum of a metric's points with these labels; of a histogram, how many were recorded."""
        wanted = {name.replace("__", "."): value for name, value in labels.items()}.items()
        points = self._points.get(metric.name, [])
        return sum(value for attributes, value in points if wanted <= attributes.items())

    def spans(self, name: str) -> list[ReadableSpan]:
        """The spans of a name, in the order in which they ended."""
        return [span for span in self._spans.get_finished_spans() if span.name == name]


@cache
def recorded() -> Recorded:
    """The one of this process."""
    return Recorded()
