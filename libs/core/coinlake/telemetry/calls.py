"""Calls to others, as OpenTelemetry's conventions describe them: HTTP to venues, operations of databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from opentelemetry.trace import Span, SpanKind, StatusCode

from coinlake.telemetry import metrics, tracing

Fault = Literal["timeout", "connection", "transport", "body"]
"""Why no whole answer came."""


class HttpCall:
    """One call on the wire. Whoever makes it says what came of it."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.status: int | None = None
        self.error_type = ""

    def answered(self, status: int, body_bytes: int) -> None:
        """A whole answer came."""
        self.status = status
        self._span.set_attributes(
            {"http.response.status_code": status, "http.response.body.size": body_bytes}
        )
        if status >= 400:
            self.failed(str(status))

    def failed(self, error_type: Fault | str) -> None:
        """None came, or one that is an error."""
        self.error_type = error_type
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(StatusCode.ERROR)


@contextmanager
def http_call(source: str, url: str, host: str) -> Iterator[HttpCall]:
    """A GET of a source's; `url` is without secrets."""
    attributes = {"http.request.method": "GET", "server.address": host, "url.full": url}
    began_s = time.perf_counter()
    with tracing.tracer.start_as_current_span(
        "GET",
        kind=SpanKind.CLIENT,
        attributes=attributes | {"coinlake.source": source},
        record_exception=False,
        set_status_on_exception=False,  # what is said of a fault, `HttpCall` says
    ) as span:
        call = HttpCall(span)
        try:
            yield call
        finally:
            metrics.HTTP_DURATION.record(
                time.perf_counter() - began_s,
                http__request__method="GET",
                server__address=host,
                http__response__status_code="" if call.status is None else call.status,
                error__type=call.error_type,
                source=source,
            )


@contextmanager
def database(system: str, operation: str) -> Iterator[Span]:
    """One operation of ours on a database."""
    attributes = {"db.system.name": system, "db.operation.name": operation}
    began_s, kind = time.perf_counter(), ""
    with tracing.span(f"{operation} {system}", attributes, kind=SpanKind.CLIENT) as span:
        try:
            yield span
        except Exception as error:
            kind = metrics.kind_of(error)
            raise
        finally:
            metrics.DB_DURATION.record(
                time.perf_counter() - began_s,
                db__system__name=system,
                db__operation__name=operation,
                error__type=kind,
            )
