"""What a benchmark's program reads and prints: a table for people, a document for machines."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.manners import mind
from benchmarks.result import Result


def parser(description: str) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    made.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    return made


def run(measure: Callable[[Path], Iterator[Result]], *, as_json: bool) -> None:
    """Measures in a temporary folder and prints the whole; on stderr, each result as soon as it is there."""
    mind()
    where = machine.described()
    results = []
    with tempfile.TemporaryDirectory(prefix="coinlake-bench-") as folder:
        for result in measure(Path(folder)):
            print(f"{result.name}: {result.ratio:.2f}, {result.said}", file=sys.stderr, flush=True)
            results.append(result)
    if as_json:
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
