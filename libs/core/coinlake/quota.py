"""What a venue allows, kept to by all processes of a deployment together.

Use is counted before a call is sent and given back only when it surely did not count, so a crash at any
moment errs towards counting. See docs/decisions/quota.md for why this is our own.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog

from coinlake.errors import FixConfiguration, WaitUntil
from coinlake.model import Limits, Response, Window
from coinlake.quota_bucket import draw, empty_bucket, pour_back
from coinlake.quota_windows import absurdity, period, put_in_force, window_start, windows_in_force
from coinlake.state import State, moment_text, statement

_log = structlog.get_logger("coinlake.quota")

LONGEST_HOLD_S = 7 * 86400
"""A venue that asks for a longer pause is mistaken; the longest documented ban is three days."""

_WINDOWS_KEPT = timedelta(days=1)
"""So that a clock set back a little finds what was counted there before."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send one call now; its use is counted already."""

    source: str
    limits: Limits
    """With the windows that were in force when it was counted."""
    cost: int
    at: datetime


class Budget(NamedTuple):
    """What a venue allows in one period."""

    period: str
    """"month", or the length of a window, such as "60s"."""
    limit: int
    left: int


class Quota:
    """Weights per window, a rate with bursts, credits per calendar month (UTC) and bans, by source."""

    def __init__(self, state: State) -> None:
        self._state = state

    def reserve(self, source: str, limits: Limits, cost: int, now: datetime) -> Grant:
        """Counts one call and allows it, atomically among all processes.

        Raises `WaitUntil` (and counts nothing) when it may be sent only later: ask again then. Raises
        `FixConfiguration` for a call that costs more than a whole window or burst allows.
        """
        with self._state.transaction() as connection:
            limits = replace(limits, windows=windows_in_force(connection, source, limits.windows, now))
            refusal = (
                _held(connection, source, now)
                or _full_window(connection, source, limits, cost, now)
                or _spent_month(connection, source, limits, now)
                or (empty_bucket(connection, source, limits.bucket, cost, now) if limits.bucket else None)
            )
            grant = Grant(source, limits, cost, now)
            if refusal is None:
                _count(connection, grant, weight=cost, credit=1)
                _forget(connection, grant)
                if limits.bucket:
                    draw(connection, source, limits.bucket, cost, now)
        if refusal is not None:
            raise refusal
        return grant

    def unsent(self, grant: Grant) -> None:
        """Gives back a call that never reached the venue."""
        with self._state.transaction() as connection:
            _count(connection, grant, weight=-grant.cost, credit=-1)
            if grant.limits.bucket:
                pour_back(connection, grant.source, grant.limits.bucket, grant.cost, grant.at)

    def answered(self, grant: Grant, response: Response) -> None:
        """Settles a call with its answer: a credit counts per HTTP 200; the venue's own count of weight
        corrects ours upwards."""
        with self._state.transaction() as connection:
            if response.status != 200:
                _count(connection, grant, weight=0, credit=-1)
            said = response.headers.get(grant.limits.used_weight_header or "", "")
            if not (said.isascii() and said.isdigit()):
                return
            # The first only; what is in force may have changed since the call was sent.
            for window in windows_in_force(
                connection, grant.source, grant.limits.windows, response.received_at
            )[:1]:
                # An answer that crosses a boundary counts in the later window: this errs towards waiting.
                starts_at = moment_text(window_start(window, response.received_at))
                used = min(int(said[:18]), window.weight)
                key = {"source": grant.source, "period": period(window), "starts_at": starts_at}
                connection.execute(statement("quota/correct"), {**key, "used": used})

    def stated(self, grant: Grant, windows: tuple[Window, ...], now: datetime) -> None:
        """Keeps to the windows that the venue stated in its answer to a call, in place of
        `Limits.windows`, by every process and from now on; absurd ones are only logged."""
        shown = [f"{window.weight} in {window.seconds} s" for window in windows]
        if wrong := absurdity(windows, grant.cost):
            _log.warning("quota.windows_ignored", source=grant.source, reason=wrong, windows=shown)
            return
        with self._state.transaction() as connection:
            changed = put_in_force(connection, grant.source, windows, now)
        if changed:
            _log.info("quota.windows_stated", source=grant.source, windows=shown)

    def hold(self, source: str, *, after_s: float, reason: str, now: datetime) -> datetime:
        """Forbids every process to send to a source for so long (`LONGEST_HOLD_S` at most); until when."""
        until = now + timedelta(seconds=min(LONGEST_HOLD_S, after_s))
        values = {"source": source, "since": moment_text(now), "until": moment_text(until), "reason": reason}
        with self._state.transaction() as connection:
            connection.execute(statement("quota/hold"), values)
        return until

    def credits_left(self, source: str, limits: Limits, now: datetime) -> int | None:
        """Credits that may still be spent in the month of `now`; None where there is no such budget."""
        if limits.credits_per_month is None:
            return None
        with self._state.transaction() as connection:
            used = _used(connection, source, "month", month_start(now))
        return max(0, limits.credits_per_month - used)

    def budgets(self, source: str, limits: Limits, now: datetime) -> list[Budget]:
        """What is left of each window and of the month at a moment; nothing of a rate, which flows back."""
        with self._state.transaction() as connection:
            budgets = [
                (period(window), window.weight, window_start(window, now))
                for window in windows_in_force(connection, source, limits.windows, now)
            ]
            if limits.credits_per_month is not None:
                budgets.append(("month", limits.credits_per_month, month_start(now)))
            return [
                Budget(named, limit, max(0, limit - _used(connection, source, named, starts_at)))
                for named, limit, starts_at in budgets
            ]


def month_start(moment: datetime) -> datetime:
    """The first moment of a moment's calendar month, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_end(moment: datetime) -> datetime:
    """The first moment of the next calendar month, in UTC."""
    return month_start(month_start(moment) + timedelta(days=32))


def _held(connection: sqlite3.Connection, source: str, now: datetime) -> WaitUntil | None:
    hold = connection.execute(statement("quota/held"), {"source": source}).fetchone()
    if hold is None:
        return None
    since, until = datetime.fromisoformat(hold["since"]), datetime.fromisoformat(hold["until"])
    if now < since:  # the clock was set back: the same wait from now, not the wait and the whole jump
        since, until = now, now + (until - since)
        values = {"source": source, "since": moment_text(since), "until": moment_text(until)}
        connection.execute(statement("quota/hold_again"), values)
    if now >= until:
        return None
    return WaitUntil(f"{source}: {hold['reason']}; nothing is sent before {_shown(until)}.", until=until)


def _full_window(
    connection: sqlite3.Connection, source: str, limits: Limits, cost: int, now: datetime
) -> WaitUntil | None:
    for window in limits.windows:
        if cost > window.weight:
            raise FixConfiguration(
                f"{source}: a call of weight {cost} can never be sent where {window.seconds} s allow "
                f"{window.weight}: raise that limit or ask for less in one call."
            )
        starts_at = window_start(window, now)
        used = _used(connection, source, period(window), starts_at)
        if used + cost > window.weight:
            until = starts_at + timedelta(seconds=window.seconds)
            said = f"{source}: {used} of {window.weight} used within {window.seconds} s"
            return WaitUntil(f"{said}; nothing is sent before {_shown(until)}.", until=until)
    return None


def _spent_month(
    connection: sqlite3.Connection, source: str, limits: Limits, now: datetime
) -> WaitUntil | None:
    budget = limits.credits_per_month
    if budget is None or _used(connection, source, "month", month_start(now)) < budget:
        return None
    until = month_end(now)
    said = f"{source}: the month's {budget} credits are used up"
    return WaitUntil(f"{said}; nothing is sent before {_shown(until)}.", until=until)


def _count(connection: sqlite3.Connection, grant: Grant, *, weight: int, credit: int) -> None:
    uses = [(period(window), window_start(window, grant.at), weight) for window in grant.limits.windows]
    if grant.limits.credits_per_month is not None:
        uses.append(("month", month_start(grant.at), credit))
    for named, starts_at, used in uses:
        key = {"source": grant.source, "period": named, "starts_at": moment_text(starts_at)}
        connection.execute(statement("quota/use"), {**key, "used": used})


def _forget(connection: sqlite3.Connection, grant: Grant) -> None:
    for window in grant.limits.windows:
        before = moment_text(window_start(window, grant.at) - _WINDOWS_KEPT)
        key = {"source": grant.source, "period": period(window), "before": before}
        connection.execute(statement("quota/forget"), key)


def _used(connection: sqlite3.Connection, source: str, named: str, starts_at: datetime) -> int:
    key = {"source": source, "period": named, "starts_at": moment_text(starts_at)}
    row = connection.execute(statement("quota/used"), key).fetchone()
    return row["used"] if row else 0


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
