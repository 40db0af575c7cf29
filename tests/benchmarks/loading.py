"""Loading against a plain COPY, and at five million quotes against fifty thousand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import pyarrow as pa
import pyarrow.csv

from benchmarks.pages import EVERY, START, Pages
from benchmarks.refining import refinery
from benchmarks.result import Result, in_turn, last_median, per_s, timed
from coinlake.model import QUOTES, Decoded, Held, capture_batch
from coinlake.warehouse import Batch
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.migrations import migrate
from coinlake_warehouse.reading import Reader

LAKE = UUID(int=1)
COINS = 250


class Batches:
    """Refined batches of consecutive slots. One is refined; the others are it, moved on in time."""

    def __init__(self, captures: int) -> None:
        self._pages = Pages(COINS)
        self._captures = captures
        self._first = refinery().refine(capture_batch(self._pages.captures(captures)))
        self._small = Pages(1)

    def batch(self, number: int) -> Batch:
        """Batch `number`: its captures hold one coin's body, which loading does not look at."""
        after = number * self._captures
        captures = list(self._small.captures(self._captures, after))
        held = [Held(after + place + 1, one) for place, one in enumerate(captures)]
        quotes = self._moved(number, [str(one.id) for one in captures])
        rejects = self._first.rejects
        return Batch("tail", LAKE, after, held, Decoded(quotes, rejects), datetime.now(UTC), "")

    def _moved(self, number: int, ids: list[str]) -> pa.RecordBatch:
        by = pa.scalar(number * self._captures * EVERY, pa.duration("us"))
        moved = {
            name: pa.compute.add(self._first.quotes.column(name), by) for name in ("as_of", "fetched_at")
        }
        moved["capture_id"] = pa.array([one for one in ids for _ in range(COINS)], pa.string())
        columns = [moved.get(name, self._first.quotes.column(name)) for name in QUOTES.names]
        return pa.RecordBatch.from_arrays(columns, schema=QUOTES)


def against_copy(folder: Path, *, captures: int, rounds: int) -> Result:
    """Rows/s of loading (quotes, latest, candles, position) over those of COPY into a table with the key."""
    batches = Batches(captures)
    with EmbeddedServer(folder) as server:
        migrate(server.dsn)
        warehouse = PostgresWarehouse(server.dsn)
        with psycopg.connect(server.dsn) as session:
            session.execute("CREATE TABLE bare (LIKE quotes)")
            session.execute(
                "ALTER TABLE bare ADD PRIMARY KEY (source, asset, quote_currency, granularity, as_of)"
            )
            session.commit()
            made = [batches.batch(number) for number in range(rounds + 1)]

            def copy(number: int) -> None:
                text = pa.BufferOutputStream()
                options = pyarrow.csv.WriteOptions(include_header=False)
                pyarrow.csv.write_csv(made[number].decoded.quotes, text, options)
                columns = ", ".join(QUOTES.names)
                with session.cursor().copy(f"COPY bare ({columns}) FROM STDIN (FORMAT csv)") as into:
                    into.write(text.getvalue())
                session.commit()

            loaded_s, copied_s = in_turn(rounds, lambda number: warehouse.load(made[number]), copy)
        warehouse.close()
    rows = captures * COINS
    return Result(
        "load, of a plain COPY into a bare table with the same key",
        copied_s / loaded_s,
        1 / 3,
        more_is_better=True,
        said=f"{per_s(rows, loaded_s)} of {per_s(rows, copied_s)}",
    )


def at_scale(folder: Path, *, quotes: int, captures: int) -> Iterator[Result]:
    """Time per batch with many quotes over that with a hundredth of them; and what status asks, in all."""
    batches = Batches(captures)
    rows = captures * COINS
    early = max(quotes // 100 // rows, 3)
    with EmbeddedServer(folder) as server:
        migrate(server.dsn)
        warehouse = PostgresWarehouse(server.dsn)
        taken: list[float] = []
        for number in range(quotes // rows):
            batch = batches.batch(number)
            taken.append(timed(partial(_load, warehouse, batch), number))
        warehouse.close()
        with Reader(server.dsn) as reader:

            def ask(_: int) -> None:
                reader.totals(), reader.freshness(), reader.batches(), reader.latest(limit=100)

            (asked_s,) = in_turn(5, ask)
    few_s, many_s = last_median(taken[: early + 1], early), last_median(taken, 10)
    end = START + len(taken) * captures * EVERY
    yield Result(
        f"a batch at {quotes:,} quotes, of one at {early * rows:,}",
        many_s / few_s,
        1.5,
        more_is_better=False,
        said=f"{many_s:.2f} s of {few_s:.2f} s for {rows:,} rows; the quotes end at {end:%Y-%m-%d}",
    )
    yield Result(
        f"status at {quotes:,} quotes, of 300 ms",
        asked_s / 0.3,
        1,
        more_is_better=False,
        said=f"{asked_s * 1000:.0f} ms for all that status and the overview ask",
    )


def _load(warehouse: PostgresWarehouse, batch: Batch, _: int) -> None:
    warehouse.load(batch)
