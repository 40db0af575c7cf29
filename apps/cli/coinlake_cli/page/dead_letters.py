"""The views of dead letters: what was refused and why, the original bytes, and trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from nicegui import ui

from coinlake.errors import CoinlakeError
from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import Button, EmptyState, Figure, Tag
from coinlake_cli.page.frame import frame
from coinlake_cli.page.tables import Column, Pages, Table
from coinlake_cli.page.wording import ago, count, moment, original_text, several, visible
from coinlake_warehouse.reading import DeadLetter, Reader, RuleBroken

_ROWS = 50
_SHOWN_BYTES = 64 * 1024
"""Of an original; the rest can be had by `coinlake query`."""

_REASON_LETTERS = 400
"""Of a reason in the list."""


def register(desk: Desk) -> None:
    """Makes the views reachable."""

    @ui.page("/dead-letters")
    async def show_all(source: str = "", rule: str = "") -> None:
        with frame(desk, "Dead letters", "/dead-letters") as live:
            view = _DeadLetters(desk, source or None, rule or None)
            await live.follow(view.refresh)

    @ui.page("/dead-letters/{capture_id}")
    async def show_one(capture_id: UUID, path: str = "") -> None:
        with frame(desk, "Dead letter", "/dead-letters") as live:
            view = _OneLetter(desk, capture_id, path)
            await live.follow(view.refresh)


async def _replay(desk: Desk, keys: Sequence[tuple[UUID, str]], button: Button, outcome: Tag) -> None:
    """Tries `keys` again, and says what came of it where `outcome` stands."""
    button.set_enabled(False)
    outcome.set_text(f"Trying {several(len(keys), 'dead letter')} again …")
    outcome.set_visibility(True)
    try:
        outcome.set_text(await desk.replay(keys))
    except CoinlakeError as error:
        outcome.set_text(f"Not replayed: {error}")
    finally:
        button.set_enabled(True)


@dataclass(frozen=True, slots=True)
class _Asked:
    source: str | None
    rule: str | None
    offset: int = 0


def _find(reader: Reader, asked: _Asked) -> tuple[list[DeadLetter], list[RuleBroken], int]:
    letters = reader.dead_letters(source=asked.source, rule=asked.rule, limit=_ROWS, offset=asked.offset)
    return letters, reader.rules_broken(), reader.totals().dead_letters


class _DeadLetters:
    """One open page of dead letters."""

    def __init__(self, desk: Desk, source: str | None, rule: str | None) -> None:
        self._desk = desk
        self._asked = _Asked(source, rule)
        self._outcome = Tag("p", role="status").classes("outcome")
        self._outcome.set_visibility(False)
        self._empty = EmptyState("mark_email_read", "No dead letters", "")
        with ui.element("section").classes("panel rules") as self._rules:
            Tag("h2", "Why")
            self._rule_list = Tag("ul", aria_label="Rules broken")
        with ui.element("section").classes("panel") as self._list:
            with ui.element("div").classes("heading"):
                self._title = Tag("h2", "Open")
                with ui.element("div").classes("buttons"):
                    self._selected = Button("Replay selected", "plain", self._replay_selected)
                    self._all = Button("Replay all", "primary", self._replay_all)
            self._table = Table(
                "Open dead letters", _COLUMNS, on_choose=self._choose, on_press=self._replay_row
            ).classes("letters")
        self._pages = Pages(_ROWS, self._page)
        self._selected.set_enabled(False)
        self._chosen: list[str] = []
        self._keys: dict[str, tuple[UUID, str]] = {}
        self._broken: list[RuleBroken] | None = None

    async def refresh(self) -> None:
        """Shows what is open now."""
        asked = self._asked
        letters, broken, total = await self._desk.shelf.ask(("letters", asked), lambda r: _find(r, asked))
        if asked is not self._asked:
            return
        now = self._desk.now()
        self._keys = {_row_key(letter): (letter.capture_id, letter.path) for letter in letters}
        rows = [_row(letter, now) for letter in letters]
        self._table.show(rows)
        self._show_rules(broken)
        matching = self._matching(broken, total)
        self._title.set_text(self._named(matching))
        self._pages.show(matching)
        for part in (self._rules, self._list):
            part.set_visibility(total > 0)
        self._list.set_visibility(bool(rows))
        self._empty.set_visibility(not rows)
        if total:
            self._empty.say("None of these", "No open dead letter fits; the rules above show what there is.")
        else:
            self._empty.say("No dead letters", "Every row that arrived was accepted, or has been since.")

    def _matching(self, broken: list[RuleBroken], total: int) -> int:
        if not self._asked.rule and not self._asked.source:
            return total
        return sum(each.letters for each in broken if self._is_shown(each))

    def _is_shown(self, each: RuleBroken) -> bool:
        return self._asked.source in (None, each.source) and self._asked.rule in (None, each.rule)

    def _named(self, matching: int) -> str:
        named = " of " + visible(self._asked.rule) if self._asked.rule else ""
        return f"{count(matching)} open{named}"

    def _show_rules(self, broken: list[RuleBroken]) -> None:
        if broken == self._broken:
            return
        self._broken = broken
        self._rule_list.clear()
        most = max((each.letters for each in broken), default=1)
        with self._rule_list:
            if self._asked.rule or self._asked.source:
                with ui.element("li"):
                    Tag("a", "Show all", href="/dead-letters")
            for each in broken:
                url = f"/dead-letters?source={quote(each.source, safe='')}&rule={quote(each.rule, safe='')}"
                with ui.element("li"):
                    link = Tag("a", visible(each.rule) or "unnamed", href=url)
                    if self._asked.rule and self._is_shown(each):
                        link.props["aria-current"] = "true"
                    Tag("span", each.source).classes("aside")
                    Tag("span").classes("bar").style(f"--part: {each.letters / most:.3f}")
                    Tag("span", count(each.letters)).classes("num")

    def _choose(self, row_keys: list[str]) -> None:
        self._chosen = row_keys
        some = f"Replay {count(len(row_keys))} selected" if row_keys else "Replay selected"
        self._selected.say(some)
        self._selected.set_enabled(bool(row_keys))

    async def _replay_row(self, row_key: str) -> None:
        if key := self._keys.get(row_key):
            await _replay(self._desk, [key], self._all, self._outcome)

    async def _replay_selected(self) -> None:
        keys = [self._keys[row_key] for row_key in self._chosen if row_key in self._keys]
        await _replay(self._desk, keys, self._selected, self._outcome)

    async def _replay_all(self) -> None:
        asked = self._asked
        try:
            keys = await self._desk.shelf.ask(
                ("letter keys", asked.source, asked.rule),
                lambda reader: reader.dead_letter_keys(source=asked.source, rule=asked.rule),
            )
        except CoinlakeError as error:
            self._outcome.set_text(f"Not replayed: {error}")
            self._outcome.set_visibility(True)
            return
        await _replay(self._desk, keys, self._all, self._outcome)

    async def _page(self, offset: int) -> None:
        self._asked = replace(self._asked, offset=offset)
        await self.refresh()


class _OneLetter:
    """One open page of a dead letter."""

    def __init__(self, desk: Desk, capture_id: UUID, path: str) -> None:
        self._desk = desk
        self._key = (capture_id, path)
        self._outcome = Tag("p", role="status").classes("outcome")
        self._outcome.set_visibility(False)
        self._empty = EmptyState("search_off", "No such dead letter", "Its link may be of another warehouse.")
        with ui.element("section").classes("panel letter") as self._panel:
            with ui.element("div").classes("heading"):
                self._state = Tag("h2")
                self._button = Button("Replay", "primary", self._replay)
            self._reasons = Tag("ul", aria_label="Reasons").classes("reasons")
            with ui.element("dl").classes("figures"):
                self._figures = {
                    name: Figure(name) for name in ("Source", "Stage", "Slot", "Received", "Refused", "Place")
                }
            self._capture = Tag("p").classes("aside")
            Tag("h2", "Original")
            self._size = Tag("p").classes("aside")
            self._bytes = Tag("pre", tabindex="0", aria_label="Original bytes").classes("original")
        self._shown: DeadLetter | None = None

    async def refresh(self) -> None:
        """Shows the letter as it is now."""
        letter = await self._desk.shelf.ask(
            ("letter", self._key), lambda reader: reader.dead_letter(*self._key, limit_bytes=_SHOWN_BYTES)
        )
        self._panel.set_visibility(letter is not None)
        self._empty.set_visibility(letter is None)
        if letter is None or letter == self._shown:
            return
        self._shown = letter
        self._state.set_text("Still refused" if letter.resolved_at is None else "Accepted by a replay")
        self._button.set_visibility(letter.resolved_at is None)
        self._reasons.clear()
        with self._reasons:
            for reason in letter.reasons:
                Tag("li", original_text(reason.encode())[0])
        for name, said in (
            ("Source", f"{letter.source} {letter.dataset}"),
            ("Stage", letter.stage),
            ("Slot", moment(letter.slot)),
            ("Received", moment(letter.received_at)),
            ("Refused", moment(letter.rejected_at)),
            ("Place", visible(letter.path) or "the whole answer"),
        ):
            self._figures[name].say(said)
        self._capture.set_text(f"Capture {letter.capture_id}, times in UTC")
        self._show_original(letter)

    def _show_original(self, letter: DeadLetter) -> None:
        text, is_hex = original_text(letter.original)
        cut = letter.original_bytes > len(letter.original)
        form = "not UTF-8, so shown in hex" if is_hex else "UTF-8 text, what is invisible spelled out"
        part = f"; the first {count(len(letter.original))} are shown" if cut else ""
        self._size.set_text(f"{several(letter.original_bytes, 'byte')}, {form}{part}.")
        self._bytes.set_text(text)

    async def _replay(self) -> None:
        await _replay(self._desk, [self._key], self._button, self._outcome)


def _row_key(letter: DeadLetter) -> str:
    return f"{letter.capture_id}{letter.path}"


def _row(letter: DeadLetter, now: datetime) -> dict[str, Any]:
    first, *others = letter.reasons or ["no reason given"]
    reason = original_text(first.encode())[0][:_REASON_LETTERS]
    times = f"Refused {moment(letter.rejected_at)} UTC, received {moment(letter.received_at)} UTC"
    return {
        "key": _row_key(letter),
        "named": reason,
        "cells": {
            "reason": {
                "text": reason,
                "href": f"/dead-letters/{letter.capture_id}?path={quote(letter.path, safe='')}",
                "after": f"and {several(len(others), 'more reason')}" if others else "",
            },
            "from": {"text": f"{letter.source} {letter.dataset}"},
            "stage": {"text": letter.stage},
            "size": {"text": several(letter.original_bytes, "byte")},
            "age": {"text": ago(letter.rejected_at, now), "title": times},
            "replay": {"text": "Replay", "press": f"Replay: {reason}"},
        },
    }


_COLUMNS = (
    Column("reason", "Reason", "reason", heads=True),
    Column("from", "From", "wide"),
    Column("stage", "Stage", "wide"),
    Column("size", "Original", "num wide"),
    Column("age", "Refused", "num"),
    Column("replay", "Replay", "replay wide", unseen=True),
)
