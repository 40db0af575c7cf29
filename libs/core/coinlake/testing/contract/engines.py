"""Checks that a step is the same in every engine: pure, in any process, order, batch or thread."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pyarrow as pa

from coinlake import plugins
from coinlake.model import Decoded
from coinlake.testing.contract import batches as made
from coinlake.testing.contract.batches import KEYS, as_sets, capture_id, key_of, of_captures, rows_of
from coinlake.testing.contract.isolation import cut_off
from coinlake.testing.contract.steps import Tried

_ELSEWHERE = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C"}
_BYTES_PER_ROW = 20_000
_MANY = 100
"""How often the examples stand in a large batch."""

_PROGRAM = """
import importlib, pickle, sys
answer, sys.stdout = sys.stdout.buffer, sys.stderr
sys.path[:] = {path!r}
plugin = importlib.import_module({plugin!r})
step = dict(plugin.coinlake_stages())[{step!r}]
batch = pickle.load(sys.stdin.buffer)
pickle.dump(step(batch), answer)
"""


class EngineChecks(Tried):
    """Part of `StageContract`."""

    def test_the_step_is_offered_by_its_name(self) -> None:
        """The plugin loads, and what it offers has this name: `refine.steps` finds it."""
        loaded = plugins.load([self.plugin], installed=False)
        (step,) = loaded.steps([self.step])
        assert callable(step)

    def test_the_step_is_pure(self) -> None:
        """The same batch gives the same, twice, and is not touched."""

        def look(batch: Decoded, found: Decoded) -> None:
            before = rows_of(batch)
            again = self.run(batch)
            assert rows_of(batch) == before, "The step changed the batch that it was given."
            same = all(one.equals(other) for one, other in zip(found, again, strict=True))
            assert same, "The same batch gives something else the second time. Keep no state between calls."

        self.watch(look)

    def test_the_order_of_rows_does_not_matter(self) -> None:
        """Rows in another order give the same rows and rejects."""

        def look(batch: Decoded, found: Decoded) -> None:
            assert as_sets(self.run(_shuffled(batch))) == as_sets(found), (
                "Rows in another order give other rows. What a row becomes must not hang on its neighbours."
            )

        self.watch(look)

    def test_how_captures_are_cut_into_batches_does_not_matter(self) -> None:
        """Captures refined together give what they give apart, but for repeats of one key."""

        def look(batch: Decoded, found: Decoded) -> None:
            halves = (map(capture_id, range(2)), map(capture_id, range(2, made.CAPTURES)))
            parts = [of_captures(batch, half) for half in halves]
            answers = [rows_of(self.run(part)) for part in parts if any(map(len, part))]
            whole = rows_of(found)
            apart = {name: [row for answer in answers for row in answer[name]] for name in whole}
            said = "Captures in one batch give other {} than in two: an engine cuts them as it likes."
            for name in KEYS:
                keys = {key_of(name, row) for row in whole[name]}
                assert all(row in apart[name] for row in whole[name]), said.format(name)
                gone = [row for row in apart[name] if row not in whole[name]]
                assert all(key_of(name, row) in keys for row in gone), said.format(name)
            rejects = [sorted(map(repr, side["rejects"])) for side in (whole, apart)]
            assert rejects[0] == rejects[1], said.format("rejects")

        self.watch(look)

    def test_another_process_gives_the_same(self) -> None:
        """By its name, in a fresh process of another time zone, language and hash seed."""
        program = _PROGRAM.format(path=sys.path, plugin=self.plugin, step=self.step)
        batch = made.examples()
        ended = subprocess.run(
            [sys.executable, "-c", program],
            input=pickle.dumps(batch),
            capture_output=True,
            env=_ELSEWHERE,
            check=False,
        )
        assert not ended.returncode, f"In a process of its own it fails: {ended.stderr.decode()[-500:]}"
        found: Decoded = pickle.loads(ended.stdout)  # noqa: S301 (of our own process)
        assert as_sets(found) == as_sets(self.run(batch)), (
            "A process with another time zone, language or hash seed gives something else."
        )

    def test_threads_do_not_meet(self) -> None:
        """Several batches at once give what they give one by one."""
        batch = made.examples()
        parts = [of_captures(batch, [capture_id(number)]) for number in range(made.CAPTURES)] * 8
        expected = [as_sets(self.run(part)) for part in parts]
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(self.run, parts))
        assert [as_sets(one) for one in found] == expected, (
            "Two batches at once disturb each other. Keep nothing outside the call."
        )

    def test_the_step_does_no_input_or_output(self) -> None:
        """Neither files nor sockets nor the screen: it runs in engines that have none of yours."""
        batch, shown = made.examples(), StringIO()
        self.run(batch)  # what it reads once and keeps, such as a table that ships with it, is its own matter
        with cut_off(f"The step {self.step}"), redirect_stdout(shown), redirect_stderr(shown):
            self.run(batch)
        assert not shown.getvalue(), (
            f"The step prints {shown.getvalue()[:60]!r}: hand on rows and rejects only."
        )

    def test_a_large_batch_stays_within_memory(self) -> None:
        """Thousands of rows take no more than a few kilobytes each, and none of it is kept."""
        batch = _many()
        rows = sum(table.num_rows for table in batch)
        before = pa.total_allocated_bytes()
        found = self.run(batch)
        taken = pa.total_allocated_bytes() - before
        assert taken <= _BYTES_PER_ROW * rows, f"{rows} rows took {taken:,} bytes."
        del found
        kept = pa.total_allocated_bytes() - before
        assert kept <= sum(table.nbytes for table in batch) // 4, (
            f"The step keeps {kept:,} bytes of a batch that is over."
        )


def _shuffled(batch: Decoded) -> Decoded:
    tables = rows_of(batch)
    return made.decoded({n: random.Random(1).sample(rows, len(rows)) for n, rows in tables.items()})  # noqa: S311


def _many() -> Decoded:
    """The examples many times over, at places and under keys of their own."""
    tables = rows_of(made.examples())
    return made.decoded(
        {
            name: [
                row
                | {"path": f"{row['path']}/{number}"}
                | ({KEYS[name][1]: f"{row[KEYS[name][1]]}-{number}"} if name in KEYS else {})
                for number in range(_MANY)
                for row in rows
            ]
            for name, rows in tables.items()
        }
    )
