"""Measures the promised speeds as ratios within one run: `./pants run tests/benchmarks:bench`.

`-- --quick` takes a minute and says little; the whole takes a quarter of an hour. Nothing is gated: the
table says which goals were reached.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import embedded, loading, refining
from benchmarks.result import Result, quietly


def measurements(folder: Path, *, quick: bool) -> Iterator[Result]:
    """All of them, one after the other."""
    yield refining.measure(captures=20 if quick else 80, rounds=3 if quick else 15)
    yield loading.against_copy(folder / "copy", captures=20 if quick else 100, rounds=2 if quick else 9)
    yield embedded.against_dlt(
        folder / "dlt", captures=60 if quick else 2_000, dlt_captures=4 if quick else 80
    )
    yield embedded.memory(
        folder / "memory", few=100 if quick else 1_000, many=300 if quick else 20_000, coins=25
    )
    yield from loading.at_scale(folder / "scale", quotes=100_000 if quick else 5_000_000, captures=80)


def main() -> None:
    """Prints each result as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    wanted = parser.parse_args()
    quietly()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    print(f"{os.cpu_count()} cores, {memory_gib:.0f} GiB", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="coinlake-bench-") as folder:
        for result in measurements(Path(folder), quick=wanted.quick):
            if wanted.json:
                print(json.dumps(asdict(result) | {"reached": result.reached}), flush=True)
                continue
            goal = f"{'at least' if result.more_is_better else 'at most'} {result.goal:.2f}"
            verdict = "reached" if result.reached else "missed"
            print(f"{result.name}\n    {result.ratio:.2f} ({goal}: {verdict}); {result.said}", flush=True)


if __name__ == "__main__":
    main()
