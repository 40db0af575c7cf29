"""Slots as Airflow's schedule: a run begins with its slot, and its data interval is that slot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from pendulum import DateTime, datetime, now

_EPOCH = datetime(1970, 1, 1)


class SlotTimetable(Timetable):
    """A run at the begin of each slot: at whole multiples of `cadence` since 1970 in UTC, as the core has it.

    Without `catchup` slots that went by while nothing was scheduled are left out, but for the present one.
    """

    def __init__(self, cadence: timedelta) -> None:
        self._cadence = cadence

    @property
    def summary(self) -> str:
        """For the list of DAGs."""
        return f"every {self._cadence}"

    def slot_at(self, moment: DateTime) -> DateTime:
        """The begin of the slot a moment lies in."""
        return moment - timedelta(seconds=(moment - _EPOCH).total_seconds() % self._cadence.total_seconds())

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The slot of the moment a run was asked for."""
        return self._interval(self.slot_at(run_after))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The slot behind the last run's; without catching up the present one, if that is later."""
        slots = [] if restriction.catchup else [self.slot_at(now("UTC"))]
        if last_automated_data_interval is not None:
            slots.append(last_automated_data_interval.end)
        if restriction.earliest is not None:
            slots.append(self.slot_at(restriction.earliest - timedelta.resolution) + self._cadence)
        slot = max(slots) if slots else self.slot_at(now("UTC"))
        if restriction.latest is not None and slot > restriction.latest:
            return None
        return DagRunInfo(run_after=slot, data_interval=self._interval(slot))

    def serialize(self) -> dict[str, Any]:
        """As Airflow keeps it."""
        return {"cadence_s": self._cadence.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> SlotTimetable:
        """As Airflow kept it."""
        return cls(timedelta(seconds=data["cadence_s"]))

    def _interval(self, slot: DateTime) -> DataInterval:
        return DataInterval(slot, slot + self._cadence)
