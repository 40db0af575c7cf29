"""`coinlake query`: SQL in, rows out, in the form that whoever reads them needs.

NUMERIC columns come as text with their exact digits in every form but the table; cast in the query
(`price::float8`) for numbers to calculate with.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.output import Output, Table, talk
from coinlake_warehouse import query as asking

Form = Literal["table", "csv", "json", "parquet"]

_TABLE_ROWS = 1000
"""A table shows so many rows unless a limit says otherwise; the other forms give all."""


def query(
    settings: Settings,
    output: Output,
    sql: str,
    form: Form,
    file: Path | None,
    limit: int | None,
) -> None:
    """Runs one read-only statement and writes its rows to `file`, or to stdout.

    Where JSON is wished for all results, it takes the place of a table.
    """
    form = "json" if output.as_json and form == "table" else form
    if form == "table" and file is not None:
        raise FixConfiguration("A table cannot go into a file: give --format csv, json or parquet.")
    if form == "parquet" and file is None and sys.stdout.isatty():
        raise FixConfiguration("Parquet is not for a terminal: give --output FILE.")
    with (
        opened(settings) as deployment,
        asking.query(deployment.addresses.reader, sql, limit=limit) as answer,
    ):
        if form == "json":
            _refuse_doubled(answer)
        if form == "table":
            _show(output, answer, limit or _TABLE_ROWS)
            return
        with _opened(file) as sink:
            _WRITERS[form](answer, sink)


def _refuse_doubled(answer: asking.Answer) -> None:
    names = answer.schema.names
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise FixConfiguration(
            f"Two columns are named {', '.join(doubled)}, which JSON cannot hold: name each apart (AS …)."
        )


def _show(output: Output, answer: asking.Answer, most: int) -> None:
    # By place, not by name: a query may give two columns one name.
    rows = (
        row
        for batch in _readable(answer)
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    shown = list(islice(rows, most))
    columns = answer.schema.names
    numbers = frozenset(field.name for field in answer.schema if pa.types.is_primitive(field.type))
    output.show_tables(Table("", columns, shown, numbers))
    if not shown:
        talk.print("0 rows")
    if next(rows, None) is not None:
        talk.print(f"There are more than {most:,} rows: give --limit, or another --format.", markup=False)


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO]:
    """The place for the rows; a file is whole or not there."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = file.with_name(file.name + ".part")
    try:
        with partial.open("wb") as sink:
            yield sink
        partial.replace(file)
    except OSError as error:
        raise FixConfiguration(f"Cannot write {file}: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(answer: asking.Answer, sink: BinaryIO) -> None:
    text = [pa.field(f.name, pa.string()) if pa.types.is_binary(f.type) else f for f in answer.schema]
    with pyarrow.csv.CSVWriter(sink, pa.schema(text)) as writer:
        for batch in _readable(answer):
            writer.write_batch(batch)


def _write_json(answer: asking.Answer, sink: BinaryIO) -> None:
    """One array, an object a line."""
    separator = b"[\n"
    for batch in _readable(answer):
        for row in batch.to_pylist():
            sink.write(separator + msgspec.json.encode({name: _in_json(row[name]) for name in row}))
            separator = b",\n"
    sink.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _in_json(value: object) -> object:
    """The value, or PostgreSQL's own word for a number that JSON lacks and that would become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _write_parquet(answer: asking.Answer, sink: BinaryIO) -> None:
    with pyarrow.parquet.ParquetWriter(sink, answer.schema) as writer:
        for batch in answer.batches:
            writer.write_batch(batch)


def _readable(answer: asking.Answer) -> Iterator[pa.RecordBatch]:
    """Rows with bytes as PostgreSQL writes them, `\\xdead`: neither CSV nor JSON has any."""
    for batch in answer.batches:
        columns = [
            pa.array([None if v is None else f"\\x{v.hex()}" for v in column.to_pylist()], pa.string())
            if pa.types.is_binary(column.type)
            else column
            for column in batch.columns
        ]
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


_WRITERS: dict[str, Callable[[asking.Answer, BinaryIO], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
}
