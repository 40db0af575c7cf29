"""Telemetry of a program, from its start to its end: off unless the environment names a collector.

The variables are OpenTelemetry's own (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER,
OTEL_RESOURCE_ATTRIBUTES, …). With no collector nothing is recorded or sent; spans still have valid ids, so
that a capture and the batch that loaded it can be joined, now or by whoever adds a collector later.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from coinlake import __version__
from coinlake.telemetry import declaring, logs, metrics, tracing

STOP_S = 2.0
"""The longest that the end of a program waits for the collector to take what is left."""

Stop = Callable[[], object]

_PROTOCOL = "http/protobuf"

log = structlog.get_logger("coinlake.telemetry")


def is_wanted(signal: str) -> bool:
    """Whether the environment asks for a signal ("TRACES", "METRICS") to be sent."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if os.environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none":
        return False
    named = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return any(os.environ.get(name) for name in named)


@contextmanager
def running(service: str, *, once: bool = False) -> Iterator[None]:
    """Telemetry for as long as a program runs; `service` is its `service.name`.

    `once` is for a command that does one thing and ends: it is one span, within the trace that TRACEPARENT
    names, and its metrics are sent at its end. A collector that is away is waited for `STOP_S` at most.
    """
    logs.said_by(os.environ.get("OTEL_SERVICE_NAME") or service)
    stops = start(service, once=once)
    try:
        if once:
            parent = tracing.context_of(os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", ""))
            with tracing.span(service, context=parent):
                yield
        else:
            yield
    finally:
        _stop(stops)


def start(service: str = "coinlake", *, once: bool = False) -> list[Stop]:
    """Starts what is asked for; what ends it. Where a provider was set before, it stays, and nothing is."""
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return []
    stops: list[Stop] = []
    logging.getLogger("opentelemetry").setLevel(
        logging.CRITICAL
    )  # what it would say again and again, we say once
    try:
        stops = _sending(service, once=once)
    except Exception as error:  # whatever is wrong with it, no capture is to be lost for it
        log.warning("telemetry.off", reason=f"{type(error).__name__}: check the OTEL_ variables.")
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
    return stops


def _sending(service: str, *, once: bool) -> list[Stop]:
    wanted = [signal for signal in ("TRACES", "METRICS") if is_wanted(signal)]
    if not wanted:
        return []
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", *(f"OTEL_EXPORTER_OTLP_{one}_PROTOCOL" for one in wanted)):
        if os.environ.get(name, _PROTOCOL) not in ("", _PROTOCOL):
            log.warning(
                "telemetry.protocol", reason=f"{name}: Coinlake sends {_PROTOCOL}, whatever that says."
            )
    # Imported here: a program that sends nothing need not load it.
    from coinlake.telemetry import sending

    resource = _resource(service)
    stops: list[Stop] = []
    if "METRICS" in wanted:
        stops.append(sending.send_metrics(resource, at_end_only=once))
        declaring.record()
        if not once:
            metrics.PROGRAM_STARTED.set(time.time())
    if "TRACES" in wanted:
        stops.append(sending.send_spans(resource))
        tracing.record()
    return stops


def _resource(service: str) -> Resource:
    """Who tells. The same over restarts, so that a series goes on; OTEL_RESOURCE_ATTRIBUTES wins."""
    ours = {
        "service.name": service,
        "service.namespace": "coinlake",
        "service.version": __version__,
        "service.instance.id": socket.gethostname(),
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())


def _stop(stops: list[Stop]) -> None:
    """Sends what is left, all at once, and waits no longer than `STOP_S`."""
    end = time.monotonic() + STOP_S
    threads = [threading.Thread(target=stop, name="coinlake-telemetry", daemon=True) for stop in stops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
