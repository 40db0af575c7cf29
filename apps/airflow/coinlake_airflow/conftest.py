"""A home of Airflow's own for its tests: it makes one, with a database, as it is imported."""

from __future__ import annotations

import os
import tempfile

from coinlake_airflow import folders

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="airflow-"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    **folders.settings(),
}
