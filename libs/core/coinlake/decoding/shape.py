"""What a source says of its JSON rows: which key is which column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coinlake.model import AMOUNTS

TEXTS = ("asset", "symbol", "name")
NUMBERS = (*AMOUNTS, "rank")
COLUMNS = (*TEXTS, *NUMBERS, "as_of")
"""The columns of a quote that are read from its JSON row; the rest come from its capture."""

MOMENT = (
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""A time as venues write it: with a zone, and no finer than the microseconds we keep."""


@dataclass(frozen=True)
class Shape:
    """A page that is a JSON array of objects, one a quote."""

    keys: Mapping[str, str]
    """Column → key in the row's object; a column without a key is null."""
    extra: tuple[str, ...] = ()
    """Documented keys without a column. They go into `extra` by name, as unknown keys do; naming them
    keeps a page in the fast lane."""
    required: tuple[str, ...] = ("asset", "price", "as_of")
    """Columns whose key must stand in each row (its value may be null). Another absent key is a null."""

    def __post_init__(self) -> None:
        named = [*self.keys.values(), *self.extra]
        if len(named) > len(set(named)):
            raise ValueError("a key may be named once, for one column or as extra")
        if not {"as_of", *self.required} <= set(self.keys):
            raise ValueError("as_of and each required column must have a key")
        strangers = set(self.keys) - set(COLUMNS)
        if strangers:
            raise ValueError(f"no such columns: {', '.join(sorted(strangers))}")
