"""The pools that keep each source's limits, as `airflow pools import` reads them.

python -m coinlake_airflow.pools >pools.json && airflow pools import pools.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

from coinlake_airflow.catalogue import Catalogue, read


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


if __name__ == "__main__":
    json.dump(pools(read()), sys.stdout, indent=2)
