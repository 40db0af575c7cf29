"""The pools that keep each source's limits, as `airflow pools import` reads them.

python -m coinlake_airflow.pools >pools.json && airflow pools import pools.json
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinlake_airflow.catalogue import Catalogue


def pools(catalogue: Catalogue) -> dict[str, Any]:
    """Each source's pool, by its name."""
    return {
        feed.pool: {
            "slots": feed.at_once,
            "description": f"Captures of {feed.source} side by side",
            "include_deferred": False,
        }
        for feed in catalogue.feeds
    }


def main() -> None:
    """Prints them, and nothing else: what Airflow says while it is imported and ends is no part of them."""
    with redirect_stdout(sys.stderr):
        from coinlake_airflow.catalogue import read

        made = pools(read())
    json.dump(made, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
