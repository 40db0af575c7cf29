"""`coinlake capture`: slots fetched once, from the venue into the lake, and loaded.

Other programs schedule by it, so its document says what became of each slot in one word:

    captured  every page of the slot is in the lake     held       nothing is sent before `until`
    had       it was before, and nothing was asked      away       a passing fault: try again, in `after_s`
    passed    the slot is over, and the venue has       refused    asking the same again is useless
              its present only: nothing was asked       wrong      a person must change a setting
                                                        defect     of the plugin or of Coinlake
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from coinlake import telemetry
from coinlake.errors import CoinlakeError, FixConfiguration, Refused, TryAgain, WaitUntil
from coinlake.feed import CaptureOutcome
from coinlake.model import Capture
from coinlake.plugins import Broken
from coinlake.schedule import slot_at
from coinlake.settings import Settings, unknown
from coinlake.source import dataset_of
from coinlake_cli import watching
from coinlake_cli.deployment import Deployment, load_plugins, make_sources, opened
from coinlake_cli.feeds import NamedFeed, feeds_of, fetching
from coinlake_cli.folder import one_capture_at_a_time
from coinlake_cli.output import Output, Table, talk
from coinlake_cli.slots import has_past, is_whole

_COLUMNS = ("source", "dataset", "slot", "outcome", "captures", "new", "trouble")
_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (WaitUntil, "held"),
    (TryAgain, "away"),
    (Refused, "refused"),
    (FixConfiguration, "wrong"),
    (Exception, "defect"),
)


def capture(
    settings: Settings,
    output: Output,
    source: str | None,
    dataset: str | None,
    *,
    moment: datetime | None = None,
    load: bool = True,
) -> bool:
    """Fetches the present slot of the chosen feeds, or that of `moment`, and loads it; False if any failed.

    A slot that `moment` names is fetched once: where the lake has it nothing is asked. The error of a dataset
    that was named is raised, once its document is shown. Without `load` a plugin that is broken costs its own
    sources only, and the warehouse may be away.
    """
    _check_names(settings, source, dataset, None if load else [])
    broken: Broken | None = None if load else []
    with opened(settings, kind="live", warehouse=load, broken=broken) as deployment:
        for each in broken or ():
            talk.print(f"Left out: {each}", markup=False)
        captured = asyncio.run(_capture(deployment, source, dataset, moment))
        if load:
            deployment.catch_up()
        telemetry.tell(partial(watching.feeds, deployment), partial(watching.quotas, deployment))
    document = [entry for entry, _ in captured]
    rows = [[entry[column] for column in _COLUMNS] for entry in document]
    output.show(document, Table("Captured", _COLUMNS, rows, frozenset({"captures", "new"})))
    for _, error in captured:
        if dataset is not None and isinstance(error, CoinlakeError):
            raise error
    return all(entry["trouble"] is None for entry in document)


def _check_names(settings: Settings, source: str | None, dataset: str | None, broken: Broken | None) -> None:
    """Refuses a name that nothing can be captured by, before a folder is made for it."""
    if source is None:
        return
    plugins = load_plugins(settings, broken=broken)
    made = make_sources(plugins, settings, broken)
    if source in made:
        if dataset is not None:
            dataset_of(made[source], dataset)
    elif source in settings.sources:
        why = " ".join(map(str, broken or ()))
        raise FixConfiguration(f"The source {source!r} is left out, as it cannot be made: {why}")
    elif source in plugins.sources:
        raise FixConfiguration(
            f"The source {source!r} is installed, but nothing is asked of it: "
            f"add [sources.{source}] to your coinlake.toml."
        )
    else:
        raise FixConfiguration(unknown("source", source, list(settings.sources)))


Captured = tuple[dict[str, Any], Exception | None]


async def _capture(
    deployment: Deployment, source: str | None, dataset: str | None, moment: datetime | None
) -> list[Captured]:
    async with fetching(deployment) as fetcher:
        return [
            await _slot(deployment, feed, moment)
            for feed in feeds_of(deployment, fetcher)
            if source in (None, feed.source.name) and dataset in (None, feed.dataset.name)
        ]


async def _slot(deployment: Deployment, feed: NamedFeed, moment: datetime | None) -> Captured:
    """One slot: the present one again if it must be, another only if it is not whole and can still be had."""
    if moment is None:
        return _described(feed, await feed.feed.capture(_slot_at(feed, deployment.clock.now())))
    slot, present = _slot_at(feed, moment), _slot_at(feed, deployment.clock.now())
    named = f"{feed.source.name} {feed.dataset.name}: the slot {slot:%Y-%m-%d %H:%M:%S} UTC"
    if slot > present:
        raise FixConfiguration(f"{named} is still to come: name one that began.")
    with one_capture_at_a_time(deployment.settings.folder, feed.source.name, feed.dataset.name):
        kept = list(_kept(deployment, feed, slot))
        if kept and is_whole(feed.source, feed.dataset.name, slot, kept):
            return _described(feed, CaptureOutcome(slot, stored=len(kept)), "had")
        if slot < present and not has_past(feed.source, feed.dataset.name, slot, present):
            error = Refused(f"{named} has passed, and the venue has its present only: nothing was asked.")
            return _described(feed, CaptureOutcome(slot, error=error), "passed")
        return _described(feed, await feed.feed.capture(slot))


def _slot_at(feed: NamedFeed, moment: datetime) -> datetime:
    return slot_at(moment, feed.dataset.cadence)


def _kept(deployment: Deployment, feed: NamedFeed, slot: datetime) -> Iterator[Capture]:
    """What the lake has of a slot."""
    end = slot + timedelta.resolution
    for held in deployment.lake.scan(source=feed.source.name, since=slot, until=end):
        if held.capture.dataset == feed.dataset.name:
            yield held.capture


def _described(feed: NamedFeed, outcome: CaptureOutcome, word: str | None = None) -> Captured:
    error = outcome.error
    word = word or next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "captured")
    document = {
        "source": feed.source.name,
        "dataset": feed.dataset.name,
        "slot": outcome.slot,
        "outcome": word,
        "captures": outcome.stored,
        "new": outcome.new,
        "trouble": str(error) if error else None,
        "until": error.until if isinstance(error, WaitUntil) else None,
        "after_s": error.after_s if isinstance(error, TryAgain) else None,
    }
    return document, error
