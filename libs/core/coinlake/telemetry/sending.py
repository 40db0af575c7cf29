"""Sends spans and metrics by OTLP, in the background. Imported only where a collector is configured.

Whatever becomes of the collector costs the program memory for a bounded queue, a counter and one line in the
log: nothing waits for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from coinlake.telemetry import metrics

EXPORT_EVERY_S = 15.0
"""How often metrics are sent, unless OTEL_METRIC_EXPORT_INTERVAL says otherwise."""

_TIMEOUT_S = 5.0
"""For one export, with its retries, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise."""
_QUEUE_SPANS = 8_192
_BATCH_SPANS = 512
_LINKS = 4_096
"""Captures that the span of one batch may link to."""

log = structlog.get_logger("coinlake.telemetry")

Stop = Callable[[], object]
"""Sends what is left and ends, which may take as long as the collector likes."""


class Collector:
    """What is known of the collector: whether it takes what it is sent. Tells of a change once."""

    def __init__(self, signal: str, variable: str) -> None:
        self._signal = signal
        url = urlsplit(os.environ.get(variable) or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
        self._place = (
            f"{url.scheme}://{url.hostname}:{url.port}" if url.port else f"{url.scheme}://{url.hostname}"
        )
        self._is_away = False

    def took(self) -> None:
        """It has taken an export."""
        if self._is_away:
            self._is_away = False
            log.info("telemetry.collector_back", signal=self._signal, collector=self._place)

    def dropped(self, items: int) -> None:
        """It has not, or was not asked: so many items are lost."""
        metrics.TELEMETRY_DROPPED.add(items, signal=self._signal)
        if not self._is_away:
            self._is_away = True
            log.warning(
                "telemetry.collector_away",
                signal=self._signal,
                collector=self._place,
                reason="It does not take what it is sent; that is dropped, and counted in "
                f"{metrics.TELEMETRY_DROPPED.prometheus_name}. The program goes on without it.",
            )


class Bounded(SpanProcessor):
    """Hands spans to another processor, as long as few enough wait there; drops and counts the others."""

    def __init__(self, collector: Collector, exporter: SpanExporter) -> None:
        self._collector = collector
        self._waiting = 0
        self._lock = threading.Lock()
        self._limit = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or _QUEUE_SPANS)
        size = int(os.environ.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") or min(_BATCH_SPANS, self._limit))
        self._batches = BatchSpanProcessor(
            _CountedSpans(exporter, collector, self._left),
            max_queue_size=self._limit + size,
            max_export_batch_size=size,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Queues a span that is recorded."""
        if not (span.context and span.context.trace_flags.sampled):
            return
        with self._lock:
            has_room = self._waiting < self._limit
            self._waiting += has_room
        if has_room:
            self._batches.on_end(span)
        else:
            self._collector.dropped(1)

    def shutdown(self) -> None:
        """Sends what waits."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def _left(self, spans: int) -> None:
        with self._lock:
            self._waiting -= spans


class _CountedSpans(SpanExporter):
    def __init__(self, exporter: SpanExporter, collector: Collector, left: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._collector = collector
        self._left = left

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._left(len(spans))
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._collector.took()
        else:
            self._collector.dropped(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _CountedMetrics(MetricExporter):
    def __init__(self, exporter: OTLPMetricExporter, collector: Collector) -> None:
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)
        self._exporter = exporter
        self._collector = collector

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any
    ) -> MetricExportResult:
        result = self._exporter.export(metrics_data, timeout_millis, **more)
        if result is MetricExportResult.SUCCESS:
            self._collector.took()
        else:
            self._collector.dropped(1)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **more: Any) -> None:
        self._exporter.shutdown(timeout_millis, **more)


def send_spans(resource: Resource) -> Stop:
    """Sends spans from now on."""
    limits = SpanLimits(max_links=int(os.environ.get("OTEL_SPAN_LINK_COUNT_LIMIT") or _LINKS))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False, span_limits=limits)
    collector = Collector("traces", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    timeout_s = None if _is_set("TIMEOUT", "TRACES") else _TIMEOUT_S
    spans = Bounded(collector, OTLPSpanExporter(timeout=timeout_s))
    provider.add_span_processor(spans)
    trace_api.set_tracer_provider(provider)
    return provider.shutdown


def send_metrics(resource: Resource, *, at_end_only: bool) -> Stop:
    """Sends metrics from now on: every so often, or once at the end, and then what this run has added."""
    collector = Collector("metrics", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    is_chosen = bool(os.environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"))
    kinds: tuple[type, ...] = (Counter, Histogram) if at_end_only and not is_chosen else ()
    exporter = OTLPMetricExporter(
        timeout=None if _is_set("TIMEOUT", "METRICS") else _TIMEOUT_S,
        preferred_temporality=dict.fromkeys(kinds, AggregationTemporality.DELTA) or None,
    )
    every_ms = None if os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") else EXPORT_EVERY_S * 1000
    reader = PeriodicExportingMetricReader(_CountedMetrics(exporter, collector), every_ms)
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    metrics_api.set_meter_provider(provider)
    return provider.shutdown


def export_every_s() -> float:
    """How often metrics are sent."""
    return float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") or EXPORT_EVERY_S * 1000) / 1000


def _is_set(name: str, signal: str) -> bool:
    variables = (f"OTEL_EXPORTER_OTLP_{signal}_{name}", f"OTEL_EXPORTER_OTLP_{name}")
    return any(os.environ.get(variable) for variable in variables)
