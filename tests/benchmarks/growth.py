"""What must not grow with what is stored: memory, the time a batch takes, and the time `status` takes.

Run as a program in a process of its own: loads a lake and prints the peak of its memory.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen

from benchmarks.manners import mind
from benchmarks.pages import COINS, captures
from benchmarks.result import Result, in_turn
from benchmarks.whole import deployment
from coinlake_cli.commands.status import describe

_STATUS_S = 0.3


def memory(folder: Path, *, few: int, many: int) -> Result:
    """Peak memory of a process that loads many captures over that of one that loads few.

    What they loaded stays, in folders of those numbers.
    """
    few_bytes, many_bytes = (_peak_of_process(folder / f"{count}", count) for count in (few, many))
    return Result(
        f"peak memory at {many:,} captures of {COINS} coins, against {few:,}",
        many_bytes / few_bytes,
        1.15,
        more_is_better=False,
        said=f"{many_bytes / 1024**2:.0f} MiB against {few_bytes / 1024**2:.0f} MiB",
    )


def at_scale(folder: Path, *, many: int, few: int, pages: int, rounds: int) -> Iterator[Result]:
    """Time of a batch and of `status` in a warehouse of `many` captures, which `memory` has loaded.

    The batch is loaded, in turn, into that one and into one that began with `few`.
    """
    with deployment(folder / f"{many}") as grown, deployment(folder / "young") as young:
        for capture in captures(few, many - few):
            young.lake.append(capture)
        young.pipeline.catch_up()

        def prepare(number: int) -> None:
            for capture in captures(pages, many + number * pages):
                young.lake.append(capture)
                grown.lake.append(capture)

        turns = in_turn(
            rounds, lambda _: young.pipeline.catch_up(), lambda _: grown.pipeline.catch_up(), prepare
        )
        status_s = []
        for _ in range(rounds):
            began = time.perf_counter()
            describe(grown)
            status_s.append(time.perf_counter() - began)
        quotes = describe(grown)["parts"]["quotes loaded"]
    young_s, grown_s = turns.medians
    yield Result(
        f"a batch of {pages * COINS:,} rows at {many * COINS:,} quotes, against {few * COINS:,}",
        turns.ratio,
        1.5,
        more_is_better=False,
        said=f"{grown_s * 1000:,.0f} ms against {young_s * 1000:,.0f} ms",
    )
    yield Result(
        f"status at {quotes:,} quotes, against 300 ms",
        median(status_s) / _STATUS_S,
        1,
        more_is_better=False,
        said=f"{median(status_s) * 1000:,.0f} ms",
    )


def _peak_of_process(folder: Path, pages: int) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "benchmarks.growth", str(folder), str(pages)]
    with Popen(command, stdout=PIPE, text=True, env=environment) as process:
        try:
            printed, _ = process.communicate()
        except BaseException:
            process.terminate()  # it stops its server first, and is waited for
            raise
    if process.returncode:
        raise SystemExit(f"Loading {pages} captures failed with exit code {process.returncode}.")
    return int(printed)


def _load(folder: Path, pages: int) -> None:
    with deployment(folder) as parts:
        for capture in captures(pages):
            parts.lake.append(capture)
        parts.pipeline.catch_up()


def _peak_bytes() -> int:
    """The most memory this process has held; not `ru_maxrss` on Linux, which counts the parent's too."""
    status = Path("/proc/self/status")
    if status.exists():
        (kib,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(kib) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    mind()
    _load(Path(sys.argv[1]), int(sys.argv[2]))
    print(_peak_bytes())
