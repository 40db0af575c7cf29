"""Measures the distributed profile as ratios within one run, on real servers that it starts itself:
`./pants run tests/benchmarks:distributed`.

`-- --quick` takes some minutes and says little; the whole takes more than half an hour. Nothing is gated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import arriving, publishing, report, streaming
from benchmarks.result import Result


def measured(folder: Path) -> Iterator[Result]:
    """All of it."""
    yield from publishing.against_change_stream(folder / "stream", pages=6_000, small=240_000, rounds=5)
    yield from publishing.memory(folder / "memory", few=1_000, many=1_000_000)
    yield publishing.catching_up(folder / "behind", pages=4_000, per_s=50)
    yield from streaming.against_rivals(folder, pages=4_000, batch=1_000, rounds=3)
    yield streaming.with_cores(folder, pages=4_000, batch=1_000, rounds=3)
    yield from arriving.latency(folder, pages=60)
    yield from arriving.growth(folder, pages=20_000, small=80_000, probe=20)


def measured_quickly(folder: Path) -> Iterator[Result]:
    """The same in small, to see that it runs."""
    yield from publishing.against_change_stream(folder / "stream", pages=300, small=3_000, rounds=1)
    yield from publishing.memory(folder / "memory", few=100, many=1_000)
    yield publishing.catching_up(folder / "behind", pages=200, per_s=50)
    yield from streaming.against_rivals(folder, pages=40, batch=20, rounds=1)
    yield streaming.with_cores(folder, pages=40, batch=20, rounds=1)
    yield from arriving.latency(folder, pages=5)
    yield from arriving.growth(folder, pages=20, small=40, probe=5)


def main() -> None:
    """Prints the table; on the way, on stderr, what is done."""
    wanted = report.parser(__doc__ or "").parse_args()
    report.run(measured_quickly if wanted.quick else measured, as_json=wanted.json)


if __name__ == "__main__":
    main()
