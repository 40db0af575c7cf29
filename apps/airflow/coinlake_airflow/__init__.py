"""Airflow keeps the cadence: DAGs made from the catalogue, whose tasks run the `coinlake` program."""
