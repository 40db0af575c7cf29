"""What is seen becomes episodes: after a while, once, and over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake_cli.alerts.episodes import KEPT_FOR, TOLD_WITHIN, Episodes
from coinlake_cli.alerts.rules import Seen
from coinlake_cli.alerts.rules_test import DAY, NOW, WELL
from coinlake_cli.alerts.watching import Watch

STALLED = replace(WELL, newest_row_at=NOW - DAY)


@pytest.fixture
def episodes(tmp_path: Path) -> Iterator[Episodes]:
    with Episodes(tmp_path) as episodes:
        yield episodes


class Film:
    """What is seen, second by second as a test says."""

    def __init__(self, episodes: Episodes) -> None:
        self.now = NOW
        self._episodes = episodes
        self._watch = Watch(lambda: self._seen, episodes)
        self._seen = WELL

    def shows(self, seen: Seen, after_s: float = 0) -> list[str]:
        """What is wrong, once so much later this is seen."""
        self.now += timedelta(seconds=after_s)
        self._seen = replace(seen, now=self.now)
        self._watch.step()
        return [one.alert for one in self._episodes.open()]


def test_what_does_not_last_is_no_alert(episodes: Episodes) -> None:
    film = Film(episodes)
    assert film.shows(STALLED) == []
    assert film.shows(STALLED, 29) == []
    assert film.shows(WELL, 1) == []
    assert film.shows(STALLED, 1) == []
    assert film.shows(STALLED, 29) == []
    assert film.shows(STALLED, 1) == ["PipelineStalled"]


def test_an_alert_begins_once_and_ends_once_with_its_times(episodes: Episodes) -> None:
    film = Film(episodes)
    film.shows(STALLED)
    for _ in range(3):
        assert film.shows(STALLED, 30) == ["PipelineStalled"]
    assert film.shows(replace(WELL, newest_row_at=film.now), 10) == []
    (episode,) = episodes.ended(limit=9)
    assert (episode.began_at, episode.ended_at) == (NOW + timedelta(seconds=30), film.now)
    assert "No new row" in episode.says


def test_over_a_restart_it_is_the_same_alert(episodes: Episodes, tmp_path: Path) -> None:
    film = Film(episodes)
    film.shows(STALLED)
    film.shows(STALLED, 30)
    (before,) = episodes.open()
    with Episodes(tmp_path) as again:
        other = Film(again)
        other.now = film.now
        restarted = replace(STALLED, since=film.now)
        assert other.shows(restarted, 10) == ["PipelineStalled"]
        assert other.shows(restarted, 60) == ["PipelineStalled"]
        assert again.open() == [before]
        assert other.shows(replace(restarted, newest_row_at=other.now), 1) == []


def test_while_the_warehouse_is_away_what_it_knows_begins_and_ends_nothing(episodes: Episodes) -> None:
    episodes.begin("BitcoinDown", "bitcoin", "page", "it fell", NOW)
    unknown = replace(WELL, changes=None, hops=None)
    assert Film(episodes).shows(unknown, 60) == ["BitcoinDown"]


def test_an_alert_of_a_rule_that_is_gone_ends(episodes: Episodes) -> None:
    episodes.begin("OldRule", "", "page", "who knows", NOW)
    assert Film(episodes).shows(WELL) == []


def test_news_is_what_a_target_was_not_told_in_order_and_only_while_it_is_news(episodes: Episodes) -> None:
    episodes.begin("A", "", "page", "a", NOW)
    episodes.begin("B", "", "ticket", "b", NOW + timedelta(seconds=1))
    episodes.end(episodes.open()[1], NOW + timedelta(seconds=2))
    told = [(one.episode.alert, one.edge) for one in episodes.untold("x", NOW)]
    assert told == [("A", "begin"), ("B", "begin"), ("A", "end")]
    for notice in episodes.untold("x", NOW)[:2]:
        episodes.tell(notice, "x")
    assert [(one.episode.alert, one.edge) for one in episodes.untold("x", NOW)] == [("A", "end")]
    assert len(episodes.untold("y", NOW)) == 3
    later = NOW + TOLD_WITHIN + timedelta(seconds=2)
    assert episodes.untold("y", later) == []
    episodes.end(episodes.open()[0], later)
    assert [(one.episode.alert, one.edge) for one in episodes.untold("x", later)] == [
        ("A", "end"),
        ("B", "end"),
    ]
    assert episodes.untold("y", later) == []


def test_what_ended_long_ago_is_forgotten_with_whom_it_was_told(episodes: Episodes) -> None:
    episodes.begin("A", "", "page", "a", NOW)
    (notice,) = episodes.untold("x", NOW)
    episodes.tell(notice, "x")
    episodes.end(episodes.open()[0], NOW)
    episodes.begin("B", "", "page", "b", NOW)
    episodes.end(episodes.open()[0], NOW + KEPT_FOR + timedelta(days=1))
    assert [one.alert for one in episodes.ended(limit=9)] == ["B"]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alerts.db").write_bytes(b"not a database at all, whatever it is called" * 100)
    with pytest.raises(FixConfiguration, match=r"Cannot use the file of alerts .*alerts\.db"):
        Episodes(tmp_path)
