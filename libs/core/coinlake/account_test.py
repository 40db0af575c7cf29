"""Whatever is lost, doubled or made up on the way is found by the sums and named, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlake import account
from coinlake.account import Account, Differences, Entry, Sighting, Tallies, Tally, compared, take, tallied

CAPTURES = 30
LAKE = [Entry(position, UUID(int=position << 64)) for position in range(1, CAPTURES + 1)]


@pytest.fixture(autouse=True, scope="module")
def small_ranges() -> Iterator[None]:
    """Ranges of four positions, so that a few captures fill many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "RANGE_BITS", 2)
        yield


class Listed:
    """A lake or a warehouse in memory; it notes what was asked for by name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.all = list(entries)
        self.asked: list[tuple[int, int]] = []

    def entries(self, after: int, until: int) -> list[Entry]:
        self.asked.append((after, until))
        return [entry for entry in self.all if after < entry.position <= until]

    def tallies(self) -> Tallies:
        return tallied(self.all)


class ListedTopic:
    def __init__(self, sightings: Iterable[Sighting]) -> None:
        self.all = list(sightings)
        self.reads = 0

    def sightings(self) -> list[Sighting]:
        self.reads += 1
        return self.all


def read(entries: Iterable[Entry]) -> list[Sighting]:
    return [Sighting(entry, is_waiting=False) for entry in entries]


def waiting(entries: Iterable[Entry]) -> list[Sighting]:
    return [Sighting(entry, is_waiting=True) for entry in entries]


def taken(topic: Iterable[Sighting], warehouse: Iterable[Entry], published: int = CAPTURES) -> Account:
    return take(Listed(LAKE), ListedTopic(topic), Listed(warehouse), published)


def by_name(topic: Sequence[Sighting], warehouse: Sequence[Entry], published: int) -> Account:
    """The same account, by definition: every capture looked at, no sums."""
    waits = {entry for entry, is_waiting in topic if is_waiting}
    anywhere = {entry for entry, _ in topic}
    in_topic = compared(LAKE, [entry for entry, _ in topic if entry])
    in_warehouse = compared(LAKE, warehouse)
    lost = [one for one in in_warehouse.missing if one not in anywhere and one.position <= published]
    passed_over = [one for one in in_warehouse.missing if one in anywhere and one not in waits]
    return Account(
        published=published,
        waiting=sum(one.is_waiting for one in topic if one.entry),
        unnamed=sum(one.entry is None for one in topic),
        topic=replace(in_topic, missing=tuple(lost)),
        warehouse=replace(in_warehouse, missing=tuple(sorted(lost + passed_over))),
    )


strangers = st.builds(
    Entry,
    st.integers(-5, CAPTURES + 10) | st.just(2**63 - 1),
    st.uuids() | st.sampled_from([e[1] for e in LAKE]),
)
entries = st.sampled_from(LAKE) | strangers
fates = st.sampled_from(
    [  # in the topic: read (r) and waiting (w) copies; loaded or not
        ("r", True), ("", True), ("w", False), ("w", True), ("rr", True), ("rw", True), ("ww", False),
        ("", False), ("r", False), ("rw", False),
    ]
)  # fmt: skip


@given(
    topic=st.lists(st.builds(Sighting, st.none() | entries, st.booleans()), max_size=40),
    warehouse=st.lists(entries, max_size=40),
    published=st.integers(0, CAPTURES),
)
def test_of_any_mess_the_sums_find_what_looking_at_every_capture_finds(
    topic: list[Sighting], warehouse: list[Entry], published: int
) -> None:
    assert taken(topic, warehouse, published) == by_name(topic, warehouse, published)


@given(st.lists(entries, max_size=40), st.sets(st.sampled_from(LAKE), max_size=3), st.integers(0, CAPTURES))
def test_so_they_do_where_the_topic_is_whole(
    warehouse: list[Entry], late: set[Entry], published: int
) -> None:
    topic = [Sighting(one, is_waiting=one in late) for one in LAKE]
    assert taken(topic, warehouse, published) == by_name(topic, warehouse, published)


@given(st.lists(fates, min_size=CAPTURES, max_size=CAPTURES), st.integers(0, CAPTURES), st.randoms())
def test_whatever_becomes_of_each_capture_the_lost_are_named_and_no_other(
    fates: list[tuple[str, bool]], published: int, chance: object
) -> None:
    topic = [
        Sighting(one, copy == "w") for one, (copies, _) in zip(LAKE, fates, strict=True) for copy in copies
    ]
    warehouse = [one for one, (_, loaded) in zip(LAKE, fates, strict=True) if loaded]
    chance.shuffle(topic)  # type: ignore[attr-defined]
    lost = [
        one
        for one, (copies, loaded) in zip(LAKE, fates, strict=True)
        if not loaded and (copies == "r" or (not copies and one.position <= published))
    ]
    found = taken(topic, warehouse, published)
    assert list(found.warehouse.missing) == lost
    assert list(found.topic.doubled) == [
        one for one, (copies, _) in zip(LAKE, fates, strict=True) if len(copies) > 1
    ]
    assert found.clean == (not lost)


@given(st.sets(st.sampled_from(LAKE), min_size=2, max_size=2))
def test_two_captures_that_changed_places_are_missing_and_two_unknown_stand_there(pair: set[Entry]) -> None:
    one, other = sorted(pair)
    changed = (Entry(one.position, other.capture_id), Entry(other.position, one.capture_id))
    warehouse = [*(entry for entry in LAKE if entry not in pair), *changed]
    found = taken(read(LAKE), warehouse)
    assert found.warehouse == Differences(missing=(one, other), strangers=changed)
    assert found.topic == Differences()
    assert not found.clean


@given(st.permutations(LAKE))
def test_sums_have_no_order(shuffled: list[Entry]) -> None:
    assert tallied(shuffled) == tallied(LAKE)
    assert sum(tallied(shuffled[:7])[number].count for number in tallied(shuffled[:7])) == 7


def test_sums_of_disjoint_entries_add_up() -> None:
    (whole,) = tallied(LAKE[3:7]).values()
    (one,), (other,) = tallied(LAKE[3:5]).values(), tallied(LAKE[5:7]).values()
    assert one + other == whole
    assert whole + Tally() == whole


def test_where_nothing_differs_the_topic_is_read_once_and_nothing_by_name() -> None:
    lake, topic, warehouse = Listed(LAKE), ListedTopic(read(LAKE)), Listed(LAKE)
    assert take(lake, topic, warehouse, CAPTURES).clean
    assert (topic.reads, len(lake.asked), warehouse.asked) == (1, 1, [])


def test_only_the_ranges_that_differ_are_read_by_name() -> None:
    topic, warehouse = ListedTopic(read(LAKE)), Listed(entry for entry in LAKE if entry.position != 17)
    found = take(Listed(LAKE), topic, warehouse, CAPTURES)
    assert found.warehouse.missing == (LAKE[16],)
    assert warehouse.asked == [(15, 19)]
    assert topic.reads == 1  # its sums say that it has them all


def test_what_the_topic_no_longer_keeps_costs_nothing_where_the_warehouse_has_it() -> None:
    topic, warehouse = ListedTopic(read(LAKE[24:27]) + waiting(LAKE[27:])), Listed(LAKE[:27])
    found = take(Listed(LAKE), topic, warehouse, CAPTURES)
    assert found.clean
    assert found.waiting == 3
    assert warehouse.asked == [(23, 27)]  # the one range that the topic keeps in part


def test_a_topic_that_is_published_once_more_for_a_full_warehouse_costs_nothing_by_name() -> None:
    lake, warehouse = Listed(LAKE), Listed(LAKE)
    assert take(lake, ListedTopic(waiting(LAKE)), warehouse, CAPTURES).clean
    assert (len(lake.asked), warehouse.asked) == (1, [])


def test_a_lake_that_nobody_has_published_is_not_read() -> None:
    lake = Listed(LAKE)
    assert take(lake, ListedTopic([]), Listed([]), 0).clean
    assert lake.asked == [(0, 3), (-1, 3)]


def test_captures_that_came_while_the_account_was_taken_are_no_strangers() -> None:
    found = taken(read(LAKE[:10]) + waiting(LAKE[10:]), LAKE[:20], published=10)
    assert found.clean
    assert (found.topic, found.warehouse) == (Differences(), Differences())


def test_captures_that_the_lake_took_in_after_it_was_summed_up_are_not_missing() -> None:
    class Growing(Listed):
        def entries(self, after: int, until: int) -> list[Entry]:
            found = super().entries(after, until)
            self.all = LAKE[:20]
            return found

    topic, warehouse = ListedTopic(read(LAKE[:17])), Listed([*LAKE[:15], LAKE[16]])
    found = take(Growing(LAKE[:17]), topic, warehouse, 17)
    assert found.warehouse.missing == (LAKE[15],)


def test_an_account_says_what_is_wrong_and_names_some_captures() -> None:
    stranger = Entry(99, UUID(int=9))
    topic = [Sighting(None, is_waiting=False), *read([*LAKE[3:], LAKE[5]]), *waiting([LAKE[2]])]
    assert taken(topic, [*LAKE[10:], stranger]).sentences(shown=2) == [
        "Lake, topic and warehouse disagree, up to position 30.",
        f"2 captures are missing in the topic: {LAKE[0].capture_id} at 1, {LAKE[1].capture_id} at 2.",
        f"1 capture is more than once in the topic: {LAKE[5].capture_id} at 6.",
        f"9 captures are missing in the warehouse: {LAKE[0].capture_id} at 1, {LAKE[1].capture_id} at 2, ….",
        f"1 capture is unknown to the lake, but in the warehouse: {stranger.capture_id} at 99.",
        "Messages that wait to be loaded: 1.",
        "Messages that name no capture of this lake: 1.",
    ]
    assert taken(read([*LAKE, LAKE[5]]), LAKE).sentences()[0].startswith("Nothing is lost")
    assert taken(read(LAKE), LAKE).sentences() == ["Nothing is lost or loaded twice, up to position 30."]
