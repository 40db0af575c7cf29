"""What telemetry costs: the embedded pipeline that sends traces and metrics, against one that sends none.

Each is a process of its own, for telemetry is switched on once and for good. Every capture belongs to a trace
that is recorded, which is the most there can be to tell.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, Popen

from benchmarks import manners
from benchmarks.pages import COINS, captures
from benchmarks.result import Result, Turns, in_turn, per_s
from benchmarks.whole import deployment
from coinlake import telemetry
from coinlake.model import Capture

_GOAL = 0.97


def against_silence(folder: Path, *, pages: int, rounds: int, pairs: int) -> Iterator[Result]:
    """Rows/s of the pipeline with telemetry on, over those with it off; `pages` a round. And rows a second of
    its processor time, which other work on the machine hardly moves.

    Two processes that do the very same differ by as much as is sought here, so there are several pairs.
    """
    by_clock, by_processor = Turns([], []), Turns([], [])
    with _collector() as endpoint:
        for pair in range(pairs):
            place = folder / f"{pair}"
            with (
                _working(place / "on", {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) as telling,
                _working(place / "off", {}) as silent,
            ):
                by_clock.add(_turns(telling, silent, pages, rounds))
                by_processor.add(Turns(telling.loads_cpu_s[1:], silent.loads_cpu_s[1:]))
    for what, taken in (("", by_clock), (", by the program's processor time", by_processor)):
        told_s, silent_s = taken.medians
        yield Result(
            f"embedded pipeline with telemetry on, {pages:,} captures, against the same with it off{what}",
            taken.ratio,
            _GOAL,
            more_is_better=True,
            said=f"{per_s(pages * COINS, told_s)} against {per_s(pages * COINS, silent_s)}",
        )


def _turns(telling: _Worker, silent: _Worker, pages: int, rounds: int) -> Turns:
    def prepare(number: int) -> None:
        for worker in (telling, silent):
            worker.do(f"append {number * pages} {pages}")

    return in_turn(rounds, lambda _: telling.do("load"), lambda _: silent.do("load"), prepare)


class _Worker:
    """A pipeline in a process of its own, which does what it is told and says when it is done."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process
        self.loads_cpu_s: list[float] = []
        """Processor time of the program for each load, in their order."""

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(command, file=self._process.stdin, flush=True)
        match self._process.stdout.readline().split():
            case ["done", cpu_s]:
                if command == "load":
                    self.loads_cpu_s.append(float(cpu_s))
            case _:
                raise SystemExit("the worker failed: what it said stands above")


@contextmanager
def _working(folder: Path, variables: dict[str, str]) -> Iterator[_Worker]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, sys.path))
    with Popen(
        [sys.executable, "-m", __name__, folder],
        stdin=PIPE,
        stdout=PIPE,
        env=environment | variables,
        text=True,
    ) as process:
        try:
            yield _Worker(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


@contextmanager
def _collector() -> Iterator[str]:
    """The address of one that takes everything and keeps nothing."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _traced(capture: Capture, number: int) -> Capture:
    """The capture within a trace of its own that is recorded."""
    return replace(capture, traceparent=f"00-{number + 1:032x}-{number + 1:016x}-01")


def _work(folder: Path) -> None:
    with telemetry.running("coinlake-benchmark"), deployment(folder) as parts:
        for line in sys.stdin:
            began_s = time.process_time()
            match line.split():
                case ["append", first, count]:
                    for number, capture in enumerate(captures(int(count), int(first)), int(first)):
                        parts.lake.append(_traced(capture, number))
                case _:
                    parts.pipeline.catch_up()
            print(f"done {time.process_time() - began_s}", flush=True)


if __name__ == "__main__":
    manners.mind()
    _work(Path(sys.argv[1]))
