"""Measures the promised speeds as ratios within one run: `./pants run tests/benchmarks:bench`.

`-- --quick` takes a minute and says little; the whole takes a quarter of an hour. Nothing is gated: the
table says which goals were reached.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import growth, loading, machine, refining, whole
from benchmarks.manners import mind
from benchmarks.result import Result

_DLT_TARGET = "tests/benchmarks:dlt"
_DLT = Path("dist/tests.benchmarks/dlt.pex")


def measured(folder: Path, dlt: Path) -> Iterator[Result]:
    """All of it, in a quarter of an hour and eight gigabytes of disk."""
    yield refining.against_decoding(pages=80, rounds=21)
    yield loading.against_copy(folder / "copy", pages=80, rounds=9)
    yield whole.against_dlt(folder / "dlt", dlt, pages=2_000, dlt_pages=60, rounds=4)
    yield growth.memory(folder, few=1_000, many=20_000)
    yield from growth.at_scale(folder, many=20_000, few=200, pages=20, rounds=9)


def measured_quickly(folder: Path, dlt: Path) -> Iterator[Result]:
    """The same in small, to see that it runs."""
    yield refining.against_decoding(pages=10, rounds=5)
    yield loading.against_copy(folder / "copy", pages=10, rounds=3)
    yield whole.against_dlt(folder / "dlt", dlt, pages=60, dlt_pages=1, rounds=1)
    yield growth.memory(folder, few=90, many=180)
    yield from growth.at_scale(folder, many=180, few=20, pages=5, rounds=3)


def main() -> None:
    """Prints the table; on the way, on stderr, what is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument("--dlt", type=Path, help=f"dlt.pex, where it is made; else {_DLT_TARGET} is packaged")
    wanted = parser.parse_args()
    mind()
    dlt = (wanted.dlt or _packaged_dlt()).absolute()
    measure = measured_quickly if wanted.quick else measured
    where = machine.described()
    results = []
    with tempfile.TemporaryDirectory(prefix="coinlake-bench-") as folder:
        for result in measure(Path(folder), dlt):
            print(f"{result.name}: {result.ratio:.2f}, {result.said}", file=sys.stderr, flush=True)
            results.append(result)
    if wanted.json:
        print(json.dumps({"machine": where, "results": [result.document() for result in results]}, indent=2))
    else:
        print(table(results))
        print(where)


def table(results: list[Result]) -> str:
    """The results as a Markdown table, in columns for the terminal."""
    rows = [("what", "goal", "ratio", "", "measured"), ("-",) * 5]
    for one in results:
        verdict = "PASS" if one.reached else "short of goal"
        rows.append((one.name, one.wanted, f"{one.ratio:.2f}", verdict, one.said))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| "
        + " | ".join(
            cell.ljust(width, "-" if cell == "-" else " ") for cell, width in zip(row, widths, strict=True)
        )
        + " |"
        for row in rows
    )


def _packaged_dlt() -> Path:
    # Without the daemon, which is busy running us.
    subprocess.run(["./pants", "--no-pantsd", "package", _DLT_TARGET], check=True, stdout=sys.stderr)
    return _DLT


if __name__ == "__main__":
    main()
