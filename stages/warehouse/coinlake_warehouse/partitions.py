"""Monthly partitions of `quotes`, made when the first row of a month comes, be it new or years old."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from coinlake_warehouse.connection import Connection
from coinlake_warehouse.statements import statement


def name(month: datetime) -> str:
    """Name of a month's partition."""
    return f"quotes_{month:%Y_%m}"


def present(connection: Connection) -> set[str]:
    """Names of the partitions there are."""
    return {partition for (partition,) in connection.execute(statement("load/partitions"))}


def missing(moments: pa.Array, names: Set[str]) -> list[datetime]:
    """The first moments (UTC) of the months that hold `moments` and have no partition among `names`."""
    months = pc.unique(pc.floor_temporal(moments, unit="month")).drop_null().to_pylist()
    return sorted(month for month in months if name(month) not in names)


def make(connection: Connection, months: Iterable[datetime]) -> None:
    """Adds the partitions of these months, in the transaction at hand."""
    for month in months:
        connection.execute(statement("load/partition"), {"month": month})
