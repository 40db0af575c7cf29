"""Tells Airflow of our timetable, which the scheduler makes again from what it keeps."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from coinlake_airflow.timetable import SlotTimetable


class CoinlakeTimetables(AirflowPlugin):
    """Found in the folder that `AIRFLOW__CORE__PLUGINS_FOLDER` names."""

    name = "coinlake_timetables"
    timetables = [SlotTimetable]  # noqa: RUF012 (Airflow's own form)
