"""No DAG, but an import error that names each broken plugin; apart, so that it takes no DAG away."""

from __future__ import annotations

from coinlake_airflow.catalogue import read

if _BROKEN := read().broken:
    raise ImportError("\n".join(_BROKEN))
