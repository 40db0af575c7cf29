"""Spans, and the `traceparent` that carries a trace over processes: in captures, in messages, on batches.

A capture's trace is the one of the HTTP call that brought it. Whoever works on many captures at once works in
a trace of its own, with a link to each, and adds to each capture's trace when and where it was taken along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from coinlake.errors import CoinlakeError
from coinlake.secrets import HIDDEN
from coinlake.telemetry.metrics import kind_of

tracer = trace.get_tracer("coinlake")

_W3C = TraceContextTextMapPropagator()
_FIELD = "traceparent"
_NS = 1_000_000_000
_READ_ONCE = 4_096
"""A batch asks three times about each of its captures: of so many, what they answered is kept."""

_is_recording = False

Attributes = Mapping[str, str | int | float | bool]


def record() -> None:
    """Says that this process sends spans. Before, and where it does not, none is made for captures."""
    global _is_recording
    _is_recording = True


def is_recording() -> bool:
    """Whether this process sends spans."""
    return _is_recording


def flagged(given: str) -> bool:
    """Whether a `traceparent` says that somebody records its trace."""
    return len(given) == 55 and given[-1] in "13579bdf"


def traceparent(span: Span | None = None) -> str:
    """The W3C trace context of a span, or of the present one; "" outside any, or before telemetry started."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span) if span else None)
    return carrier.get(_FIELD, "")


def context_of(given: str, state: str = "") -> Context:
    """The context of a `traceparent`, to make spans in; an empty one where it is none."""
    return _W3C.extract({_FIELD: given, "tracestate": state}, Context()) if state else _read(given)


@lru_cache(_READ_ONCE)
def _read(given: str) -> Context:
    return _W3C.extract({_FIELD: given}, Context())


def sampled(given: str) -> SpanContext | None:
    """The span of a `traceparent`; None where it is none, or nobody records that trace."""
    if not (_is_recording and flagged(given)):  # at no cost while telemetry is off
        return None
    found = trace.get_current_span(context_of(given)).get_span_context()
    return found if found.is_valid and found.trace_flags.sampled else None


@contextmanager
def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    context: Context | None = None,
    links: Iterable[Link] = (),
) -> Iterator[Span]:
    """A span that is the present one within; an error leaves its kind there, and only what we said ourselves.

    Never an error's trace, and the message of none that is not ours: those may hold a key.
    """
    with tracer.start_as_current_span(
        name,
        context,
        kind=kind,
        attributes=attributes,
        links=tuple(links),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            failed(opened, error)
            raise


def failed(of: Span, error: BaseException) -> None:
    """Says in a span that it ended with an error."""
    of.set_attribute("error.type", kind_of(error))
    said = HIDDEN.from_text(str(error)) if isinstance(error, CoinlakeError) else type(error).__name__
    of.set_status(StatusCode.ERROR, said)


def happened(
    within: str,
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    *,
    since_ns: int,
    links: Sequence[Link] = (),
) -> None:
    """Adds a span from `since_ns` (of `time.time_ns`) until now to the trace of a `traceparent`."""
    tracer.start_span(
        name, context_of(within), kind=kind, attributes=attributes, links=links, start_time=since_ns
    ).end()


def took_along(
    captures: Iterable[str], by: Span, name: str, attributes: Attributes, *, since_ns: int
) -> None:
    """Adds to the trace of each capture, by its `traceparent`, a span from `since_ns` (of `time.time_ns`)
    until now, with a link to the batch that took it along. Nothing for traces that nobody records."""
    batch = by.get_span_context()
    links = (Link(batch),) if batch.trace_flags.sampled else ()
    for given in captures:
        if sampled(given):
            happened(given, name, SpanKind.CONSUMER, attributes, since_ns=since_ns, links=links)


def links_to(captures: Iterable[str]) -> list[Link]:
    """A link to the span of each capture that somebody records, by its `traceparent`."""
    return [Link(found) for found in map(sampled, captures) if found]
