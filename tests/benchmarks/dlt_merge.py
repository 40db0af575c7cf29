"""What many would write instead: dlt merges a folder of JSON pages into PostgreSQL by key.

Runs in dlt's own environment. Reads the server's address from stdin, so that it is on no command line;
prints the seconds that the run took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found]  # in an environment of its own, see embedded.py


def main(bodies: Path, work: Path, dsn: str) -> None:
    """Loads every page of the folder."""

    def pages() -> Iterator[list[dict[str, Any]]]:
        for file in sorted(bodies.glob("*.json")):
            yield json.loads(file.read_bytes())

    key = ("id", "last_updated")
    quotes = dlt.resource(pages, name="quotes", write_disposition="merge", primary_key=key)
    pipeline = dlt.pipeline(
        "benchmark",
        destination=dlt.destinations.postgres(dsn),
        dataset_name="dlt",
        pipelines_dir=str(work),
    )
    began = time.perf_counter()
    pipeline.run(quotes)
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.stdin.read())
