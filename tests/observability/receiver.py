"""A collector for tests: takes OTLP over HTTP on a real socket, and keeps what it was sent.

It stands where OpenTelemetry's own collector stands in a deployment; that one is tried where the stack is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from servers.answering import Answer, Answering

DEADLINE_S = 200.0

Found = TypeVar("Found")


@dataclass(frozen=True)
class Span:
    """A span as it came."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]
    """Trace and span of each."""
    status: int
    status_message: str

    @property
    def traceparent(self) -> str:
        """Of the spans within it, but for the flags."""
        return f"00-{self.trace_id}-{self.span_id}"


@dataclass(frozen=True)
class Point:
    """A number of a metric as it came; of a histogram its count."""

    service: str
    metric: str
    unit: str
    kind: str
    attributes: dict[str, Any]
    value: float
    is_delta: bool


class Receiver(Answering):
    """Listens until `with` ends. `status` is what it answers; `hold` keeps callers waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[Span] = []
        self.points: list[Point] = []
        self.resources: list[dict[str, Any]] = []
        self.bytes_received = b""
        self.refused: set[str] = set()
        """Paths that were asked for, and got another answer than 200."""
        self.status = 200
        self.hold = threading.Event()
        self.hold.set()

    def __exit__(self, *error: object) -> None:
        self.hold.set()
        super().__exit__(*error)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program send to it, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.root,
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Takes what was sent, unless it is to refuse it."""
        self.hold.wait()
        if self.status == 200:
            self._take(path, body)
        else:
            self.refused.add(path)
        return Answer(self.status)

    def named(self, name: str) -> list[Span]:
        """The spans of a name."""
        return [span for span in list(self.spans) if span.name == name]

    def of(self, metric: str, **attributes: Any) -> list[Point]:
        """The points of a metric, in the order in which they came, that have these attributes."""
        wanted = attributes.items()
        points = [point for point in list(self.points) if point.metric == metric]
        return [point for point in points if wanted <= point.attributes.items()]

    def wait(self, look: Callable[[Receiver], Found]) -> Found:
        """What `look` finds as soon as it finds something."""
        end = time.monotonic() + DEADLINE_S
        while not (found := look(self)):
            assert time.monotonic() < end, f"not received in {DEADLINE_S:g} s; there are {self._names()}"
            time.sleep(0.02)
        return found

    def _names(self) -> set[str]:
        return {span.name for span in self.spans} | {point.metric for point in self.points}

    def _take(self, path: str, body: bytes) -> None:
        self.bytes_received += body
        if path == "/v1/traces":
            self.spans += _spans(ExportTraceServiceRequest.FromString(body), self.resources)
        elif path == "/v1/metrics":
            self.points += _points(ExportMetricsServiceRequest.FromString(body), self.resources)


def _spans(request: ExportTraceServiceRequest, resources: list[dict[str, Any]]) -> Iterator[Span]:
    for part in request.resource_spans:
        resource = _plain(part.resource.attributes)
        resources.append(resource)
        for span in (span for scope in part.scope_spans for span in scope.spans):
            yield Span(
                service=resource["service.name"],
                name=span.name,
                kind=span.kind,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                start_ns=span.start_time_unix_nano,
                end_ns=span.end_time_unix_nano,
                attributes=_plain(span.attributes),
                links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                status=span.status.code,
                status_message=span.status.message,
            )


def _points(request: ExportMetricsServiceRequest, resources: list[dict[str, Any]]) -> Iterator[Point]:
    for part in request.resource_metrics:
        resource = _plain(part.resource.attributes)
        resources.append(resource)
        for metric in (metric for scope in part.scope_metrics for metric in scope.metrics):
            kind = str(metric.WhichOneof("data"))
            data = getattr(metric, kind)
            for point in data.data_points:
                value = point.count if kind.endswith("histogram") else point.as_double or point.as_int
                temporality = getattr(data, "aggregation_temporality", None)
                yield Point(
                    service=resource["service.name"],
                    metric=metric.name,
                    unit=metric.unit,
                    kind=kind,
                    attributes=_plain(point.attributes),
                    value=value,
                    is_delta=temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
                )


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one) for one in attributes}


def _value(attribute: KeyValue) -> Any:
    kind = attribute.value.WhichOneof("value")
    return getattr(attribute.value, kind) if kind else None
