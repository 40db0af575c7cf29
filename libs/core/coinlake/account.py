"""The account of captures across hops: what the lake has, held against the topic and the warehouse.

Positions are dense integers, so each hop is summed up by ranges of them: a count and a digest in which order
has no part. Only where the sums of a range differ are its captures read and named.

What is behind is not missing. So that nobody has to stop for an account, whoever takes one reads in the
direction opposite to that of captures: first how far loading and publishing got (before `take` is called),
then the topic, then the warehouse, then the lake. Whatever a hop shows, the lake has by then.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple, Protocol
from uuid import UUID

RANGE_BITS = 13
"""A range is 8,192 positions: those that are the same without their lowest 13 bits, here and in SQL."""


class Entry(NamedTuple):
    """A capture, as far as an account goes."""

    position: int
    capture_id: UUID


class Sighting(NamedTuple):
    """A message of the topic."""

    entry: Entry | None
    """None where it names no capture of this lake."""
    is_waiting: bool
    """Whether loading had not yet got so far when the account began."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The sum of some entries: equal sums are of equal entries, but for one chance in 2**64."""

    count: int = 0
    digest: int = 0
    """Exclusive or of the first 8 bytes, as a signed number, of each entry's SHA-256: of the position in 8
    bytes, highest first, and the id in 16."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.digest ^ other.digest)


Tallies = Mapping[int, Tally]
"""By the number of the range; a range without entries is not in it."""


class Entries(Protocol):
    """A lake or a hop whose entries are found by position."""

    def entries(self, after: int, until: int) -> Iterable[Entry]:
        """Those at positions (after, until]."""


class TalliedEntries(Entries, Protocol):
    """A hop that sums up its entries by itself."""

    def tallies(self) -> Tallies:
        """The sums of all its entries."""


class Sightings(Protocol):
    """A hop that can only be read as a whole."""

    def sightings(self) -> Iterable[Sighting]:
        """Every message, as often as it is there."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What of a hop is not as the lake has it, by position."""

    missing: tuple[Entry, ...] = ()
    """In the lake, and not in the hop."""
    doubled: tuple[Entry, ...] = ()
    """More than once in the hop."""
    strangers: tuple[Entry, ...] = ()
    """In the hop, and not in the lake: the position, the id or both."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a lake's captures."""

    published: int
    """Every capture up to this position had been acknowledged by the topic; later ones miss nowhere."""
    waiting: int
    """Messages that had not been loaded yet."""
    unnamed: int
    """Messages in the topic that name no capture of this lake: the warehouse has dead letters of them."""
    topic: Differences = field(repr=False)
    """Doubled is harmless: loading knows a capture by its id. What the topic no longer keeps is missing only
    where the warehouse does not have it."""
    warehouse: Differences = field(repr=False)
    """What waits in the topic is not missing, also where loading passed an earlier copy over."""

    @property
    def clean(self) -> bool:
        """True where nothing was lost, nothing is in the warehouse twice and nothing came from nowhere."""
        return not self.wrong

    @property
    def wrong(self) -> int:
        """How many captures were lost, are in the warehouse twice or came from nowhere."""
        return sum(map(len, (self.topic.missing, self.topic.strangers, *_parts(self.warehouse))))

    def sentences(self, shown: int = 5) -> list[str]:
        """The account in words; of each kind of difference at most so many captures are named."""
        verdict = "Nothing is lost or loaded twice" if self.clean else "Lake, topic and warehouse disagree"
        said = [f"{verdict}, up to position {self.published}."]
        for hop, found in (("topic", self.topic), ("warehouse", self.warehouse)):
            for verbs, entries in zip(_VERBS, _parts(found), strict=True):
                if entries:
                    said.append(_sentence(entries, verbs, hop, shown))
        if self.waiting:
            said.append(f"Messages that wait to be loaded: {self.waiting}.")
        if self.unnamed:
            said.append(f"Messages that name no capture of this lake: {self.unnamed}.")
        return said


_VERBS = (
    ("is missing in", "are missing in"),
    ("is more than once in", "are more than once in"),
    ("is unknown to the lake, but in", "are unknown to the lake, but in"),
)
"""Of `Differences`, in its order: of one capture, and of several."""


class _Summing:
    """The sums of entries that come in any order."""

    def __init__(self) -> None:
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._digests: defaultdict[int, int] = defaultdict(int)

    def add(self, entry: Entry) -> None:
        number = entry.position >> RANGE_BITS
        place = entry.position.to_bytes(8, "big", signed=True)
        digest = hashlib.sha256(place + entry.capture_id.bytes).digest()
        self._counts[number] += 1
        self._digests[number] ^= int.from_bytes(digest[:8], "big", signed=True)

    def tallies(self) -> Tallies:
        return {number: Tally(count, self._digests[number]) for number, count in self._counts.items()}


def tallied(entries: Iterable[Entry]) -> Tallies:
    """The sums of entries in any order, by range."""
    summing = _Summing()
    for entry in entries:
        summing.add(entry)
    return summing.tallies()


def compared(lake: Iterable[Entry], hop: Iterable[Entry]) -> Differences:
    """Names what differs between two lists of entries."""
    found, expected = Counter(hop), set(lake)
    return Differences(
        missing=tuple(sorted(expected - found.keys())),
        doubled=tuple(sorted(entry for entry, times in found.items() if times > 1)),
        strangers=tuple(sorted(found.keys() - expected)),
    )


def take(lake: Entries, topic: Sightings, warehouse: TalliedEntries, published: int) -> Account:
    """The account of a lake up to `published`, and of all that topic and warehouse hold.

    `published`, and what decides of a message whether it waits, were read before. The topic is read once, and
    once more where it is not whole itself in a range that differs; memory grows with the captures of such
    ranges. Raises as the three do.
    """
    read, waiting, unnamed = _summed(topic)
    loaded = warehouse.tallies()
    ranges = {*read, *waiting, *loaded, published >> RANGE_BITS}
    had = tallied(lake.entries(0, _bounds(max(ranges))[1]))
    differing = [
        number
        for number in sorted(ranges | had.keys())
        if not _is_settled(*(tallies.get(number, Tally()) for tallies in (had, read, waiting, loaded)))
    ]
    whole = {
        number
        for number in differing
        if _bounds(number)[1] <= published and number not in waiting and read.get(number) == had.get(number)
    }
    sighted = _sighted(topic, [number for number in differing if number not in whole])
    named = [_named(lake, warehouse, published, number, sighted.get(number)) for number in differing]
    return Account(
        published=published,
        waiting=sum(tally.count for tally in waiting.values()),
        unnamed=unnamed,
        topic=_joined([in_topic for in_topic, _ in named]),
        warehouse=_joined([in_warehouse for _, in_warehouse in named]),
    )


def _summed(topic: Sightings) -> tuple[Tallies, Tallies, int]:
    """The sums of messages that loading got past and of those that wait; how many name no capture."""
    read, waiting, unnamed = _Summing(), _Summing(), 0
    for entry, is_waiting in topic.sightings():
        if entry is None:
            unnamed += 1
        else:
            (waiting if is_waiting else read).add(entry)
    return read.tallies(), waiting.tallies(), unnamed


def _is_settled(had: Tally, read: Tally, waiting: Tally, loaded: Tally) -> bool:
    """Whether a range is as it should be by its sums alone. What was loaded, the topic may have dropped."""
    if loaded + waiting == had:
        return read in (Tally(), loaded)
    return loaded == had and read + waiting in (Tally(), had)


def _sighted(topic: Sightings, ranges: Collection[int]) -> dict[int, list[Sighting]]:
    """The messages of these ranges; without any, the topic is not read."""
    sighted: dict[int, list[Sighting]] = {number: [] for number in ranges}
    for sighting in topic.sightings() if sighted else ():
        entry = sighting.entry
        if entry is not None and (of_range := sighted.get(entry.position >> RANGE_BITS)) is not None:
            of_range.append(sighting)
    return sighted


def _named(
    lake: Entries, warehouse: Entries, published: int, number: int, messages: Sequence[Sighting] | None
) -> tuple[Differences, Differences]:
    """What of a range differs in topic and warehouse; without messages where all are there and none waits."""
    loaded = list(warehouse.entries(*_bounds(number)))
    had = list(lake.entries(*_bounds(number)))
    in_warehouse = compared(had, loaded)
    if messages is None:
        return Differences(), in_warehouse
    in_topic = compared(had, (entry for entry, _ in messages if entry))
    waiting = {entry for entry, is_waiting in messages if is_waiting}
    gone = {entry for entry in in_topic.missing if entry.position <= published}
    passed_over = set(in_warehouse.missing) - waiting - set(in_topic.missing)
    missing = tuple(entry for entry in in_warehouse.missing if entry in gone or entry in passed_over)
    lost = tuple(entry for entry in missing if entry in gone)
    return replace(in_topic, missing=lost), replace(in_warehouse, missing=missing)


def _bounds(number: int) -> tuple[int, int]:
    """The positions (after, until] of a range."""
    return (number << RANGE_BITS) - 1, ((number + 1) << RANGE_BITS) - 1


def _joined(parts: Sequence[Differences]) -> Differences:
    return Differences(*(tuple(chain.from_iterable(kind)) for kind in zip(*map(_parts, parts), strict=True)))


def _parts(found: Differences) -> tuple[tuple[Entry, ...], ...]:
    return found.missing, found.doubled, found.strangers


def _sentence(entries: Sequence[Entry], verbs: tuple[str, str], hop: str, shown: int) -> str:
    one = len(entries) == 1
    names = ", ".join(f"{entry.capture_id} at {entry.position}" for entry in entries[:shown])
    more = ", …" if len(entries) > shown else ""
    return f"{len(entries)} {'capture' if one else 'captures'} {verbs[not one]} the {hop}: {names}{more}."
