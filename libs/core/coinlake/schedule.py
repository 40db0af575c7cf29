"""When a feed's slots come, and how their spacing stretches so that a month's credits last the month."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from coinlake.bookkeeping import written_down
from coinlake.clock import Clock
from coinlake.errors import TryAgain
from coinlake.model import Dataset, Limits
from coinlake.quota import Quota, month_end
from coinlake.source import Source
from coinlake.state import State

_log = structlog.get_logger("coinlake.schedule")

RESERVED_SHARE = 0.02
"""Of a month's credits: never planned with, kept for retries, restarts and captures by hand."""

_WORTH_SAYING = 0.1
"""Change of a stretched spacing that is logged again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schedule(Protocol):
    """Says when to fetch."""

    def slots(self) -> AsyncIterator[datetime]:
        """Slots in order, each once it is due. Pulling the next one says that the last is finished."""


def slot_at(moment: datetime, cadence: timedelta) -> datetime:
    """The slot a moment lies in: slots begin at whole multiples of `cadence` since 1970 in UTC."""
    return moment - (moment - _EPOCH) % cadence


def affordable_spacing(
    dataset: Dataset,
    polled: Collection[Dataset],
    limits: Limits,
    credits_left: int | None,
    now: datetime,
) -> timedelta:
    """The spacing of a dataset's slots that makes the month's credits last: its cadence, or longer.

    `polled` are all datasets that draw on the same credits (this one too); all stretch by one factor.
    Whole seconds; the rest of the month where nothing may be spent any more.
    """
    if limits.credits_per_month is None or credits_left is None:
        return dataset.cadence
    spendable = credits_left - math.ceil(limits.credits_per_month * RESERVED_SHARE)
    left = month_end(now) - now
    wanted = sum(each.calls_per_slot * (left / each.cadence) for each in polled)
    if wanted <= spendable:
        return dataset.cadence
    stretched = left
    if spendable > 0:
        stretched_s = math.ceil(dataset.cadence.total_seconds() * wanted / spendable)
        stretched = min(timedelta(seconds=stretched_s), left)
    return max(stretched, dataset.cadence)


def first_slot(last: datetime | None, now: datetime, cadence: timedelta, spacing: timedelta) -> datetime:
    """The first slot behind `last` (None: there was none yet); it may be due already.

    Never further away than two spacings or the end of the month, wherever the clock was set.
    """
    stretched = spacing > cadence
    if stretched and now + spacing >= month_end(now):
        return month_end(now)
    if last is None:
        return slot_at(now, cadence)
    if last > now + spacing:  # the clock was set back: begin anew from here
        return slot_at(now, cadence) + cadence
    return last + spacing if stretched else slot_at(last, cadence) + cadence


class Polling:
    """The schedule of a live feed: a slot every cadence, wider spaced where credits are short.

    Slots that went by (downtime, a venue slower than the cadence, a clock set forward) are left out,
    counted in the state and logged. All datasets of the source are taken to be polled.
    """

    def __init__(self, source: Source, dataset: Dataset, state: State, clock: Clock) -> None:
        self._source = source
        self._dataset = dataset
        self._state = state
        self._quota = Quota(state)
        self._clock = clock
        self._spacing = dataset.cadence
        self._said = dataset.cadence

    async def slots(self) -> AsyncIterator[datetime]:
        """Slots without an end; the present one at once if it was not finished before."""
        known = await written_down(self._state.feed, self._source.name, self._dataset.name)
        last = known.last_slot if known else None
        while True:
            first = await written_down(self._plan, last)
            await self._clock.sleep_until(first)
            now = self._clock.now()
            if now < first:  # the clock was set back while we slept
                continue
            missed = (now - first) // self._spacing
            if missed:
                await written_down(self._miss, missed, first)
            last = first + missed * self._spacing
            yield last

    def _plan(self, last: datetime | None) -> datetime:
        now, cadence = self._clock.now(), self._dataset.cadence
        try:
            credits_left = self._quota.credits_left(self._source.name, self._source.limits, now)
            self._spacing = affordable_spacing(
                self._dataset, self._source.datasets.values(), self._source.limits, credits_left, now
            )
            first = first_slot(last, now, cadence, self._spacing)
            self._say(credits_left, first)
            self._state.scheduled(
                self._source.name,
                self._dataset.name,
                cadence_s=cadence.total_seconds(),
                next_slot_at=first,
                stretched_to_s=self._spacing.total_seconds() if self._spacing > cadence else None,
            )
        except TryAgain as error:  # the state cannot be written now: go on at the spacing known last
            _log.warning("state.unwritable", reason=str(error))
            first = first_slot(last, now, cadence, self._spacing)
        return first

    def _say(self, credits_left: int | None, first: datetime) -> None:
        cadence, spacing = self._dataset.cadence, self._spacing
        changed = abs(spacing / self._said - 1) > _WORTH_SAYING or (spacing > cadence) != (
            self._said > cadence
        )
        if not changed:
            return
        self._said = spacing
        _log.warning(
            "feed.stretched" if spacing > cadence else "feed.unstretched",
            source=self._source.name,
            dataset=self._dataset.name,
            cadence_s=cadence.total_seconds(),
            spacing_s=spacing.total_seconds(),
            credits_left=credits_left,
            next_slot_at=first.isoformat(),
        )

    def _miss(self, slots: int, since: datetime) -> None:
        named = {"source": self._source.name, "dataset": self._dataset.name}
        _log.warning("feed.slots_missed", **named, slots=slots, since=since.isoformat())
        try:
            self._state.missed(**named, cadence_s=self._dataset.cadence.total_seconds(), slots=slots)
        except TryAgain as error:
            _log.warning("state.unwritable", reason=str(error))
