"""Every DAG of Coinlake, made from the catalogue each time Airflow parses this file."""

from __future__ import annotations

from coinlake_airflow.captures import captures
from coinlake_airflow.catalogue import read
from coinlake_airflow.upkeep import upkeep

_CATALOGUE = read()
globals().update({dag.dag_id: dag for dag in [*captures(_CATALOGUE), *upkeep(_CATALOGUE)]})
