"""What many would write instead: dlt merges folders of JSON pages into PostgreSQL by key.

A program of its own, with its own locked packages: `dlt.pex FOLDER` keeps its state in FOLDER. It reads from
stdin the server's address (so that it is on no command line) and then folders of pages, one a line, and
answers each with the number of rows once they are merged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt


@dlt.resource(name="quotes", write_disposition="merge", primary_key=("id", "last_updated"))
def quotes(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """The coins of every page of the folder."""
    for file in sorted(folder.glob("*.json")):
        yield json.loads(file.read_bytes())


def main(state: str) -> None:
    """Merges folder after folder until there are no more."""
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=state,
        destination=dlt.destinations.postgres(sys.stdin.readline().strip()),
        dataset_name="merged_by_dlt",
    )
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        pipeline.run(quotes(folder)).raise_on_failed_jobs()
        print(_rows(pipeline), flush=True)


def _rows(pipeline: dlt.Pipeline) -> int:
    """How many rows the last run merged."""
    trace = pipeline.last_trace
    assert trace is not None
    assert trace.last_normalize_info is not None
    return trace.last_normalize_info.row_counts["quotes"]


if __name__ == "__main__":
    main(sys.argv[1])
