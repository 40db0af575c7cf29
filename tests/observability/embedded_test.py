"""What `coinlake run` tells a collector: the numbers of each hop, and one trace from the call to the row."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from coinlake.clock import SystemClock
from coinlake.telemetry import metrics
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from command_line.program import TIMEOUT_S, Program
from observability.receiver import Receiver, Span

SETTINGS = """
[telemetry]
trace_url = "http://localhost:16686/trace/{{trace_id}}"

[sources.coingecko]
root = "{root}"
every = "7d"
credits_per_month = 1000
"""
DISTRIBUTED_ONLY = {
    *("coinlake.hop.lag.messages", "coinlake.topic.headroom.duration", "coinlake.topic.messages_gone"),
    *(metric.name for metric in metrics.ALL if metric.name.startswith(("coinlake.producer.", "messaging."))),
}
ONLY_IN_TROUBLE = {
    "coinlake.dead_letters",
    "coinlake.dead_letters.open",
    "coinlake.fetch.retries",
    "coinlake.load.interruptions",
    "coinlake.load.quarantined",
    "coinlake.telemetry.dropped",
}


@dataclass
class Told:
    """A run of the program, what it told, and what it wrote to stderr."""

    program: Program
    receiver: Receiver
    log: list[dict[str, object]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The program, which has captured one slot, loaded and verified it, and was stopped, all under watch."""
    home = tmp_path_factory.mktemp("home")
    with (
        Receiver() as receiver,
        ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as venue,
    ):
        (home / "coinlake.toml").write_text(SETTINGS.format(root=venue.root))
        program = Program(home, receiver.environment)
        running = program.start("--verbose", "run", "--port", "0")
        receiver.wait(lambda got: got.of("coinlake.load.rows", table="quotes"))
        assert program("verify").returncode == 0
        receiver.wait(lambda got: got.of("coinlake.verify.clean"))
        running.send_signal(signal.SIGTERM)
        yield Told(program, receiver, _logged(running))


def _logged(running: subprocess.Popen[str]) -> list[dict[str, object]]:
    _, logged = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 0, logged
    return [json.loads(line) for line in logged.splitlines() if line.startswith("{")]


def within(inner: Span, outer: Span) -> bool:
    return (inner.trace_id, inner.parent_id) == (outer.trace_id, outer.span_id)


def test_every_metric_of_the_profile_arrives_as_it_is_declared(told: Told) -> None:
    units = {(point.metric, point.unit) for point in told.receiver.points}
    declared = {(metric.name, metric.unit) for metric in metrics.ALL}
    assert units <= declared
    missing = {name for name, _ in declared - units} - DISTRIBUTED_ONLY - ONLY_IN_TROUBLE
    assert not missing


def test_labels_are_those_declared(told: Told) -> None:
    labels = {metric.name: {label.name for label in metric.labels} for metric in metrics.ALL}
    for point in told.receiver.points:
        assert point.attributes.keys() <= labels[point.metric], point


def test_a_capture_is_one_trace_from_the_call_to_its_rows(told: Told) -> None:
    got = told.receiver
    for load_span in got.wait(lambda got: got.named("load")):
        trace = [span for span in got.spans if span.trace_id == load_span.trace_id]
        (slot,) = (span for span in trace if span.name == "capture")
        (fetch,) = (span for span in trace if span.span_id == load_span.parent_id)
        (get,) = (span for span in trace if within(span, fetch) and span != load_span)
        assert (slot.parent_id, fetch.name, get.name) == ("", "fetch", "GET")
        assert within(fetch, slot)
        (batch,) = (span for span in got.spans if (span.trace_id, span.span_id) in load_span.links)
        assert (fetch.trace_id, fetch.span_id) in batch.links
        assert {span.name for span in got.spans if within(span, batch)} == {"refine", "load postgresql"}
        assert slot.start_ns <= fetch.start_ns <= get.start_ns <= get.end_ns <= load_span.end_ns


def test_the_way_of_a_quote_is_told_with_its_trace(told: Told) -> None:
    found = told.program("--json", "trace", "coingecko/bitcoin/usd")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    (load_span, *_) = told.receiver.named("load")
    assert document["trace"] == f"http://localhost:16686/trace/{load_span.trace_id}"
    assert [hop["hop"] for hop in document["hops"]] == [
        "requested",
        "received",
        "batch begun",
        "rows committed",
    ]
    assert all(hop["after"] is None or hop["after"] >= 0 for hop in document["hops"])
    by_id = json.loads(told.program("--json", "trace", document["capture_id"]).stdout)
    assert by_id == document


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("coingecko/no-such-coin/usd", 4, "no quote coingecko/no-such-coin/usd"),
        ("coingecko/bitcoin/usd@2001-01-01", 4, "no quote"),
        ("coingecko/bitcoin/usd@yesterday", 3, "cannot read 'yesterday' as a time"),
        ("bitcoin", 3, "neither a capture's id nor a quote"),
        ("0af76519-16cd-43dd-8448-eb211c80319c", 3, "Neither lake nor warehouse has a capture"),
    ],
)
def test_a_way_that_is_not_there_is_said_in_a_sentence(told: Told, what: str, code: int, said: str) -> None:
    found = told.program("trace", what)
    assert found.returncode == code
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_log_lines_are_events_with_the_run_the_capture_and_the_trace(told: Told) -> None:
    stored = [event for event in told.log if event["event"] == "feed.stored"]
    traces = {span.trace_id for span in told.receiver.named("capture")}
    assert stored
    assert {event["trace_id"] for event in stored} <= traces
    way = json.loads(told.program("--json", "trace", str(stored[0]["capture_id"])).stdout)
    assert {event["run_id"] for event in told.log} == {way["run_id"]}
    assert {event["service.name"] for event in told.log} == {told.receiver.named("capture")[0].service}
    (committed,) = (event for event in told.log if event["event"] == "pipeline.batch_committed")
    assert committed["trace_id"] in {span.trace_id for span in told.receiver.named("batch")}


def test_while_all_is_well_no_line_calls_for_anybody(told: Told) -> None:
    assert [event for event in told.log if event["level"] not in ("debug", "info")] == []
