"""Traces: spans around fetch, store, refine and load, and the `traceparent` kept with what they made.

With no collector configured nothing is recorded or sent; spans still have valid ids, so that a capture
and the batch that loaded it can be joined, now or by whoever adds a collector later.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

tracer = trace.get_tracer("coinlake")


def start() -> None:
    """Gives spans their ids. Called once, by the program; a provider set before stays."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))


def traceparent() -> str:
    """The W3C trace context of the present span; "" outside any, or before `start`."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
