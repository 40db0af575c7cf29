"""Spans and metrics reach a collector over a real socket; one that is dead costs nothing but a counter."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping

import pytest

from observability.receiver import Receiver

STOP_S = 2.0
"""What the end of a program may wait for a collector."""
SLACK_S = 8.0
"""For a machine that is busy with other tests."""
PATIENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "60"}
"""Whoever waited for the collector would wait so many seconds."""

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"

COMMAND = """
from coinlake import telemetry
from coinlake.telemetry import metrics
with telemetry.running("coinlake-command", once=True):
    metrics.FETCH_RETRIES.add(3, source="coingecko")
    print(telemetry.traceparent(), flush=True)
"""

SERVICE = """
import sys, time
from coinlake import telemetry
from coinlake.telemetry import logs, metrics, tracing
logs.log_to_stderr()
with telemetry.running("coinlake-service"):
    began = time.monotonic()
    for number in range({spans}):
        with tracing.span("work"):
            metrics.FETCH_RETRIES.add(source="coingecko")
    print(time.monotonic() - began, flush=True)
    sys.stdin.read()
    print("stopping", flush=True)
"""


def python(code: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A program that is this code."""
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )


def ended(process: subprocess.Popen[str]) -> tuple[float, str, str]:
    """Ends it; how long it took to stop, and what it printed."""
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    began = time.monotonic()
    printed, logged = process.communicate(timeout=60)
    assert process.returncode == 0, logged
    return time.monotonic() - began, printed, logged


def test_a_command_is_one_span_of_the_trace_that_called_it_and_sends_what_it_added(
    receiver: Receiver,
) -> None:
    parent = {"TRACEPARENT": f"00-{TRACE}-{SPAN}-01"}
    _, printed, _ = ended(python(COMMAND, receiver.environment | parent))
    (span,) = receiver.spans
    assert (span.trace_id, span.parent_id, span.name) == (TRACE, SPAN, "coinlake-command")
    assert printed.startswith(span.traceparent)
    (point,) = receiver.of("coinlake.fetch.retries", source="coingecko")
    assert (point.value, point.is_delta) == (3, True)
    assert not receiver.of("coinlake.program.started.timestamp")


def test_a_service_tells_who_it_is_and_sends_totals_while_it_works(receiver: Receiver) -> None:
    named = {"OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=second,deployment.environment.name=test"}
    process = python(SERVICE.format(spans=5), receiver.environment | named)
    first, last = receiver.wait(
        lambda got: (points := got.of("coinlake.fetch.retries"))[1:] and (points[0], points[-1])
    )
    assert (first.value, last.value, last.is_delta) == (5, 5, False)
    assert receiver.of("coinlake.program.started.timestamp")[0].value == pytest.approx(time.time(), abs=60)
    ended(process)
    assert len(receiver.named("work")) == 5
    for resource in receiver.resources:
        assert resource["service.name"] == "coinlake-service"
        assert resource["service.namespace"] == "coinlake"
        assert resource["service.instance.id"] == "second"
        assert resource["deployment.environment.name"] == "test"


def test_a_trace_that_the_caller_does_not_record_is_not_sent(receiver: Receiver) -> None:
    _, printed, _ = ended(python(COMMAND, receiver.environment | {"TRACEPARENT": f"00-{TRACE}-{SPAN}-00"}))
    assert printed.startswith(f"00-{TRACE}-")
    assert not receiver.spans


@pytest.mark.parametrize(
    "off",
    [
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_where_it_is_not_asked_for_nothing_is_sent_and_spans_have_ids_all_the_same(
    receiver: Receiver, off: dict[str, str]
) -> None:
    _, printed, _ = ended(python(COMMAND, receiver.environment | off))
    assert len(printed.strip()) == 55
    assert not receiver.bytes_received


def test_where_the_sdk_is_disabled_there_is_nothing_at_all(receiver: Receiver) -> None:
    _, printed, _ = ended(python(COMMAND, receiver.environment | {"OTEL_SDK_DISABLED": "true"}))
    assert printed == "\n"
    assert not receiver.bytes_received


def test_a_share_of_traces_is_recorded_where_the_sampler_says_so(receiver: Receiver) -> None:
    share = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.2"}
    ended(python(SERVICE.format(spans=1_000), receiver.environment | share))
    assert 100 < len(receiver.named("work")) < 300


def test_a_collector_that_hangs_holds_up_neither_the_work_nor_the_end(receiver: Receiver) -> None:
    receiver.hold.clear()
    bounded = {"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10"}
    process = python(SERVICE.format(spans=2_000), receiver.environment | PATIENT | bounded)
    assert process.stdout is not None
    assert float(process.stdout.readline()) < 5
    stopped_s, _, logged = ended(process)
    assert stopped_s < STOP_S + SLACK_S
    assert logged.count("telemetry.collector_away") == 1
    assert "opentelemetry" not in logged.lower().replace("otel", "")


def test_what_a_collector_did_not_take_is_counted_and_told_once_it_is_back(receiver: Receiver) -> None:
    receiver.status = 400
    process = python(SERVICE.format(spans=50), receiver.environment)
    assert process.stdout is not None
    process.stdout.readline()
    receiver.wait(lambda got: got.refused == {"/v1/traces", "/v1/metrics"})
    receiver.status = 200
    dropped = receiver.wait(lambda got: got.of("coinlake.telemetry.dropped", signal="traces"))
    assert dropped[-1].value == 50
    _, _, logged = ended(process)
    assert logged.count("telemetry.collector_away") == 2, logged  # of spans, and of metrics
    assert "telemetry.collector_back" in logged
    assert not receiver.named("work")


def test_a_collector_that_refuses_connections_does_not_hold_up_the_end() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        refusing = {"OTEL_EXPORTER_OTLP_ENDPOINT": address}
        stopped_s, _, logged = ended(python(SERVICE.format(spans=10), refusing | PATIENT))
    assert stopped_s < STOP_S + SLACK_S
    assert "Traceback" not in logged


def test_an_endpoint_that_is_none_turns_telemetry_off_and_says_so() -> None:
    _, printed, logged = ended(python(SERVICE.format(spans=1), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://["}))
    assert "telemetry.off" in logged
    assert "stopping" in printed
