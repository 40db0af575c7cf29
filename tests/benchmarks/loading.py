"""Loading a batch with all that hangs on it, against a plain COPY of the same rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.csv

from benchmarks.pages import COINS, captures
from benchmarks.refining import refinery
from benchmarks.result import Result, in_turn, per_s
from coinlake.model import QUOTES, Held, capture_batch
from coinlake.warehouse import Batch
from coinlake_warehouse.connection import Connection, connect
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.migrations import migrate

_BARE_TABLE = (Path(__file__).parent / "sql" / "bare_table.sql").read_text(encoding="utf-8")
_CSV = pyarrow.csv.WriteOptions(include_header=False)


def against_copy(folder: Path, *, pages: int, rounds: int) -> Result:
    """Rows/s of loading (quotes, latest, candles, position) over those of COPY into a table with the key.

    Both start from the same Arrow batch, and end with a commit on the same server.
    """
    batches = [_batch(number * pages, pages) for number in range(rounds + 1)]
    with (
        EmbeddedServer(folder) as server,
        PostgresWarehouse(server.dsn) as warehouse,
    ):
        migrate(server.dsn)
        with connect(server.dsn, "benchmark") as session:
            session.execute(_BARE_TABLE)
            turns = in_turn(
                rounds,
                lambda number: warehouse.load(batches[number]),
                lambda number: _copy(session, batches[number].decoded.quotes),
            )
    loaded_s, copied_s = turns.medians
    rows = pages * COINS
    return Result(
        "load, against a plain COPY into a bare table with the same key",
        turns.ratio,
        1 / 3,
        more_is_better=True,
        said=f"{per_s(rows, loaded_s)} against {per_s(rows, copied_s)}",
    )


def _batch(after: int, pages: int) -> Batch:
    held = [Held(after + place, one) for place, one in enumerate(captures(pages, after), start=1)]
    decoded = refinery().refine(capture_batch(one.capture for one in held))
    return Batch("tail", UUID(int=1), after, held, decoded, datetime.now(UTC), "")


def _copy(session: Connection, quotes: pa.RecordBatch) -> None:
    text = pa.BufferOutputStream()
    pyarrow.csv.write_csv(quotes, text, _CSV)
    columns = ", ".join(QUOTES.names)
    with session.cursor() as cursor, cursor.copy(f"COPY bare ({columns}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getvalue())
