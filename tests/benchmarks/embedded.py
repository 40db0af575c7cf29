"""The whole embedded pipeline: lake to candles, against dlt, and its memory as captures grow."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import venv
from pathlib import Path

from benchmarks.pages import Pages
from benchmarks.refining import refinery
from benchmarks.result import Result, per_s, quietly
from coinlake.clock import SystemClock
from coinlake.pipeline import Pipeline
from coinlake.plugins import load
from coinlake.settings import RefineSettings
from coinlake_lake.sqlite import SqliteLake
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.migrations import migrate

DLT_LOCK = Path("3rdparty/bench/requirements.lock")
DLT_SCRIPT = Path(__file__).with_name("dlt_merge.py")


def run(folder: Path, *, captures: int, coins: int) -> float:
    """Seconds that the pipeline takes for captures that lie in the lake."""
    pages = Pages(coins)
    with SqliteLake(folder / "lake.db") as lake, EmbeddedServer(folder / "warehouse") as server:
        for capture in pages.captures(captures):
            lake.append(capture)
        migrate(server.dsn)
        warehouse = PostgresWarehouse(server.dsn)
        observe = load([], installed=False).observe
        pipeline = Pipeline(
            lake, warehouse, refinery(), RefineSettings(), clock=SystemClock(), observe=observe
        )
        began = time.perf_counter()
        pipeline.catch_up()
        took = time.perf_counter() - began
        warehouse.close()
    return took


def against_dlt(folder: Path, *, captures: int, dlt_captures: int) -> Result:
    """Rows/s of the pipeline over those of dlt merging the same JSON into the same server by the same key."""
    ours_s = run(folder / "ours", captures=captures, coins=250)
    bodies = folder / "bodies"
    bodies.mkdir()
    for number, capture in enumerate(Pages(250).captures(dlt_captures)):
        (bodies / f"{number:06}.json").write_bytes(capture.body)
    python = _dlt_python(folder / "dlt")
    with EmbeddedServer(folder / "theirs") as server:
        done = subprocess.run(
            [python, DLT_SCRIPT, bodies, folder / "dlt-work"],
            input=server.dsn,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit(f"dlt failed:\n{done.stderr}")
    theirs_s = float(json.loads(done.stdout.splitlines()[-1])["seconds"])
    ours, theirs = captures * 250 / ours_s, dlt_captures * 250 / theirs_s
    return Result(
        f"embedded pipeline, {captures:,} captures of 250 coins, of dlt's merge",
        ours / theirs,
        10,
        more_is_better=True,
        said=f"{per_s(captures * 250, ours_s)} of {per_s(dlt_captures * 250, theirs_s)}",
    )


def memory(folder: Path, *, few: int, many: int, coins: int) -> Result:
    """Peak memory of a process that loads many captures over that of one that loads few."""
    peaks = []
    for captures in (few, many):
        module = [sys.executable, "-m", "benchmarks.embedded"]
        done = subprocess.run(
            [*module, str(folder / str(captures)), str(captures), str(coins)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        )
        peaks.append(int(done.stdout))
    return Result(
        f"peak memory at {many:,} captures of {coins} coins, of that at {few:,}",
        peaks[1] / peaks[0],
        1.15,
        more_is_better=False,
        said=f"{peaks[1] / 1024:.0f} MiB of {peaks[0] / 1024:.0f} MiB",
    )


def _dlt_python(place: Path) -> Path:
    """The Python of an environment that has dlt and what it needs, by their hashes."""
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    locked = ["--require-hashes", "--requirement", str(DLT_LOCK)]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *locked], check=True)
    return python


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True)
    quietly()
    run(place, captures=int(sys.argv[2]), coins=int(sys.argv[3]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
