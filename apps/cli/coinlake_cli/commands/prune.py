"""`coinlake prune`: months of quotes that are old enough leave the warehouse, once all is proven right."""

from __future__ import annotations

from dataclasses import asdict, astuple

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli.commands.verify import prove
from coinlake_cli.deployment import opened
from coinlake_cli.output import Output, Table, talk
from coinlake_warehouse import retention

_COLUMNS = ("month", "quotes", "size_bytes")


def prune(settings: Settings, output: Output) -> bool:
    """Lets go of the months that `warehouse.keep_quotes` does not cover; False where they cannot be trusted.

    Lake and warehouse are compared as a whole first, for what leaves is to be had again from the lake.
    """
    keep = settings.warehouse.keep_quotes
    if keep is None:
        raise FixConfiguration(
            "Quotes are kept for good, as warehouse.keep_quotes is not set: set it (or "
            'COINLAKE_WAREHOUSE__KEEP_QUOTES) to a length of time, such as "730d".'
        )
    with opened(settings) as deployment:
        owner, before = deployment.addresses.owner, retention.first_of_month(deployment.now() - keep)
        gone = retention.months_before(owner, before)
        if gone:
            if not prove(deployment).clean:
                talk.print(
                    "Nothing is pruned, as lake and warehouse do not agree: `coinlake verify` names what is "
                    "wrong, and `coinlake prune` does its work once that is mended.",
                    markup=False,
                )
                return False
            gone = retention.prune(owner, before)
    document = {"before": before, "pruned": [asdict(month) for month in gone]}
    output.show(
        document, Table("Pruned", _COLUMNS, [astuple(month) for month in gone], frozenset(_COLUMNS[1:]))
    )
    return True
