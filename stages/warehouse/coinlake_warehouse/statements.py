"""The SQL of this room, by name: `sql/<name>.sql`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from psycopg.sql import SQL


@cache
def statement(name: str) -> SQL:
    """The text of `sql/<name>.sql`, as it is."""
    text = files("coinlake_warehouse").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return SQL(text)  # shipped with the program, never made of input
