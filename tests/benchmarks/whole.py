"""The whole embedded pipeline, from the lake to candles, against dlt merging the same JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from benchmarks.pages import COINS, captures
from benchmarks.result import Result, in_turn, per_s
from coinlake.settings import Settings
from coinlake_cli.deployment import Deployment, opened


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    """The embedded profile in a folder, as the program opens it."""
    with opened(Settings(folder=folder), kind="live") as parts:
        yield parts


def against_dlt(folder: Path, dlt: Path, *, pages: int, dlt_pages: int, rounds: int) -> Result:
    """Rows/s of the pipeline over those of dlt, which merges by the same key into the same server.

    Our pages lie in the lake, and dlt's in files, when the clock starts; `pages` and `dlt_pages` a round.
    """
    with deployment(folder / "ours") as parts, _merging(dlt, folder, parts.addresses.owner) as merge:

        def prepare(number: int) -> None:
            for capture in captures(pages, number * pages):
                parts.lake.append(capture)
            made = folder / f"{number}"
            made.mkdir()
            for capture in captures(dlt_pages, number * pages):
                (made / f"{capture.slot:%Y-%m-%dT%H%M%SZ}.json").write_bytes(capture.body)

        turns = in_turn(
            rounds,
            lambda _: parts.pipeline.catch_up(),
            lambda number: merge(folder / f"{number}"),
            prepare,
        )
    ours_s, theirs_s = turns.medians
    return Result(
        f"embedded pipeline, {pages:,} captures of {COINS} coins, against dlt's merge",
        turns.ratio * pages / dlt_pages,
        10,
        more_is_better=True,
        said=f"{per_s(pages * COINS, ours_s)} against {per_s(dlt_pages * COINS, theirs_s)}",
    )


@contextmanager
def _merging(dlt: Path, folder: Path, dsn: str) -> Iterator[Callable[[Path], None]]:
    """dlt in a process of its own, which merges the folders it is given."""
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    environment["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    log = folder / "dlt.log"
    with (
        log.open("wb") as talk,
        Popen(
            [sys.executable, dlt, folder / "dlt"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=talk,
            env=environment,
            text=True,
            bufsize=1,
        ) as process,
    ):
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        print(dsn, file=asked)

        def merge(pages: Path) -> None:
            print(pages, file=asked)
            if answers.readline() != f"{len(list(pages.iterdir())) * COINS}\n":
                raise SystemExit(f"dlt failed:\n{log.read_text(errors='replace')}")

        try:
            yield merge
        finally:
            asked.close()
