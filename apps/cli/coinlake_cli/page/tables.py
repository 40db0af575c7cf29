"""Tables and their pages, as all views show them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nicegui import ui

SYNTHETIC = {"text": "synthetic", "title": "Made up for a load test, not recorded or live"}
HIDDEN_CHARACTERS = {
    "text": "hidden characters",
    "title": "The venue wrote invisible characters, left out here",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the name of its cells in a row, its heading and the classes of heading and cells."""

    name: str
    label: str
    of: str = ""
    heads: bool = False
    """True for the column whose cells name their rows."""
    unseen: bool = False
    """True where only a screen reader needs the heading."""
    order: str | None = None
    """What pressing the heading asks to order by; None where it cannot be pressed."""
    sorted: str = "none"
    """How the rows stand in this column's order: ascending, descending or none."""


class Table(ui.element, component="table.js"):
    """Rows under headings.

    A row is `key`, `named` (what to call it), `of` (classes) and `cells`, a mapping from a column's name to
    `text` and, where wanted, `title`, `of`, `href`, `after`, `below`, `badges`, `press` (a button of that
    name, told to `on_press` with the row's key) or `path` and `box` (a drawing that `text` describes).
    """

    def __init__(
        self,
        label: str,
        columns: Sequence[Column],
        *,
        on_order: Callable[[str], Any] | None = None,
        on_choose: Callable[[list[Any]], Any] | None = None,
        on_press: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["choosable"] = on_choose is not None
        self._columns: Sequence[Column] = columns
        self._rows: list[dict[str, Any]] = []
        self._send()
        for name, told in (("order", on_order), ("choose", on_choose), ("press", on_press)):
            if told:
                self._tell(name, told)

    def show(self, rows: list[dict[str, Any]], columns: Sequence[Column] | None = None) -> None:
        """Shows rows; sends nothing to the browser if that changes nothing."""
        columns = self._columns if columns is None else columns
        if rows != self._rows or columns != self._columns:
            self._rows, self._columns = rows, columns
            self._send()
            self.update()

    def _send(self) -> None:
        self.props["columns"] = [asdict(column) for column in self._columns]
        self.props["rows"] = self._rows

    def _tell(self, name: str, told: Callable[[Any], Any]) -> None:
        self.on(name, lambda event: told(event.args))


class Pages(ui.pagination):
    """Turns pages of `rows` rows each; `turn` is called with how many rows come before the page."""

    def __init__(self, rows: int, turn: Callable[[int], Awaitable[None]]) -> None:
        self._rows = rows

        async def turned() -> None:
            await turn(((self.value or 1) - 1) * rows)

        super().__init__(1, 1, on_change=turned)
        self.classes("pages").props("max-pages=6 boundary-numbers active-design=outline")

    def show(self, total: int) -> None:
        """Shows as many pages as `total` rows fill, and nothing for one."""
        self.max = max(1, -(-total // self._rows))
        self.set_visibility(self.max > 1)
