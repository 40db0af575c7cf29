"""What people and programs read: results on stdout, talk on stderr.

Results are tables on a terminal, plain aligned text in a pipe, and one JSON document with `--json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

talk = Console(stderr=True, highlight=False, soft_wrap=True)
"""For everything that is not a result."""

NOTHING = "–"
"""How a null is shown: the venue gave no value, or there is nothing yet."""


@dataclass(frozen=True)
class Table:
    """Rows to show; cells are anything `cell` knows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: frozenset[str] = field(default_factory=frozenset)
    """Columns of numbers, set to the right."""


class Output:
    """Shows a command's result in the form its reader wants."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._is_terminal = sys.stdout.isatty()

    def show(self, document: Any, *tables: Table) -> None:
        """The result: `document` as JSON, or `tables` for eyes and pipes."""
        if self.as_json:
            json.dump(document, sys.stdout, default=_plain_json, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        else:
            self.show_tables(*tables)

    def show_tables(self, *tables: Table) -> None:
        """Tables, whatever form was wished."""
        for number, table in enumerate(tables):
            if number:
                sys.stdout.write("\n")
            if self._is_terminal:
                Console().print(_rich(table))
            else:
                sys.stdout.write(_plain(table))


def cell(value: Any) -> str:
    """A value as text: exact digits, times in UTC to the second, lengths of time in words."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def duration(length: timedelta) -> str:
    """A length of time in its two largest units: "2d 3h", "4m 5s", "0.3s"."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"-{duration(-length)}"
    if seconds < 10:
        return f"{seconds:.1f}s"
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(int(seconds), size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def _plain_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _rich(table: Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left", title_style="bold", header_style="bold")
    for column in table.columns:
        shown.add_column(column, justify="right" if column in table.right else "left", overflow="fold")
    for row in table.rows:
        # Text, not str: brackets in a venue's names are not markup.
        shown.add_row(*(Text(cell(value)) for value in row))
    return shown


def _plain(table: Table) -> str:
    """Columns set apart by two spaces, so that awk, cut and eyes can read them."""
    lines = [list(table.columns), *([_one_line(cell(value)) for value in row] for row in table.rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(table.columns))]
    padded = (
        "  ".join(
            text.rjust(width) if column in table.right else text.ljust(width)
            for text, width, column in zip(line, widths, table.columns, strict=True)
        ).rstrip()
        for line in lines
    )
    return "".join(f"{line}\n" for line in padded)


def _one_line(text: str) -> str:
    return " ".join(text.split())
