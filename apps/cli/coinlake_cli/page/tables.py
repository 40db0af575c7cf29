"""Tables as the views show them: real headers, rows that keep their place on the page when figures change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nicegui import ui

Column = tuple[str, str, str]
"""Name, heading, classes. A heading that only a screen reader needs stands in brackets."""


class Table(ui.table):
    """Rows under column headings; `body` is the Vue template of a row, which sees `props.row`.

    Each row is told apart by `key`, and what it shows is text to the template, never markup.
    """

    def __init__(
        self,
        label: str,
        columns: Sequence[Column],
        body: str,
        *,
        header: str | None = None,
        selection: Literal["multiple"] | None = None,
    ) -> None:
        shown = [{"name": name, "field": name, "label": text, "of": of} for name, text, of in columns]
        super().__init__(rows=[], columns=shown, row_key="key", pagination=0, selection=selection)
        self.props("flat hide-pagination hide-no-data separator=none").props["aria-label"] = label
        self.add_slot("header", header or _HEADER)
        self.add_slot("body", body)

    def show(self, rows: list[dict[str, Any]]) -> bool:
        """Shows rows; False, with nothing sent to the browser, if they are what it shows already."""
        if rows == self.rows:
            return False
        self.rows = rows
        return True


_HEADER = r"""
<q-tr>
  <th v-for="col in props.cols" :key="col.name" scope="col" :class="col.of">
    <span :class="{ unseen: col.label.startsWith('(') }">{{ col.label.replace(/[()]/g, '') }}</span>
  </th>
</q-tr>
"""
