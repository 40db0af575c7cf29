"""Measures the promised speeds as ratios within one run: `./pants run tests/benchmarks:bench`.

`-- --quick` takes a minute and says little; the whole takes a quarter of an hour. Nothing is gated: the
table says which goals were reached.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import growth, loading, refining, report, telling, whole
from benchmarks.result import Result

_DLT_TARGET = "tests/benchmarks:dlt"
_DLT = Path("dist/tests.benchmarks/dlt.pex")


def measured(folder: Path, dlt: Path) -> Iterator[Result]:
    """All of it, in a quarter of an hour and eight gigabytes of disk."""
    yield refining.against_decoding(pages=80, rounds=21)
    yield loading.against_copy(folder / "copy", pages=80, rounds=9)
    yield whole.against_dlt(folder / "dlt", dlt, pages=2_000, dlt_pages=60, rounds=4)
    yield from telling.against_silence(folder / "telling", pages=300, rounds=6, pairs=6)
    yield growth.memory(folder, few=1_000, many=20_000)
    yield from growth.at_scale(folder, many=20_000, few=200, pages=20, rounds=9)


def measured_quickly(folder: Path, dlt: Path) -> Iterator[Result]:
    """The same in small, to see that it runs."""
    yield refining.against_decoding(pages=10, rounds=5)
    yield loading.against_copy(folder / "copy", pages=10, rounds=3)
    yield whole.against_dlt(folder / "dlt", dlt, pages=60, dlt_pages=1, rounds=1)
    yield from telling.against_silence(folder / "telling", pages=30, rounds=1, pairs=1)
    yield growth.memory(folder, few=90, many=180)
    yield from growth.at_scale(folder, many=180, few=20, pages=5, rounds=3)


def main() -> None:
    """Prints the table; on the way, on stderr, what is done."""
    parser = report.parser(__doc__ or "")
    parser.add_argument("--dlt", type=Path, help=f"dlt.pex, where it is made; else {_DLT_TARGET} is packaged")
    wanted = parser.parse_args()
    dlt = (wanted.dlt or _packaged_dlt()).absolute()
    measure = measured_quickly if wanted.quick else measured
    report.run(lambda folder: measure(folder, dlt), as_json=wanted.json)


def _packaged_dlt() -> Path:
    # Without the daemon, which is busy running us.
    subprocess.run(["./pants", "--no-pantsd", "package", _DLT_TARGET], check=True, stdout=sys.stderr)
    return _DLT


if __name__ == "__main__":
    main()
