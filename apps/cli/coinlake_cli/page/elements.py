"""Small pieces that the views share: tags, figures, badges, and what to say where there is nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from coinlake_cli.page.wording import NOTHING, visible
from coinlake_warehouse.reading import Key


class Tag(TextElement):
    """An HTML element with text, which is shown as text whatever stands in it."""

    def __init__(self, tag: str, text: str = "", **attributes: str) -> None:
        super().__init__(tag=tag, text=text)
        for name, setting in attributes.items():
            self.props[name.rstrip("_").replace("_", "-")] = setting

    def say(self, text: str, title: str = "") -> None:
        """Changes the text, and what a pointer resting on it is told."""
        self.set_text(text)
        if self.props.get("title", "") != title:
            self.props["title"] = title
            self.update()


class Button(Tag):
    """A real button. `kind` is `primary` or `plain`."""

    def __init__(self, text: str, kind: str, on_click: Callable[[], Any]) -> None:
        super().__init__("button", text, type="button")
        self.classes(kind)
        self.on("click", on_click, args=[])

    def set_enabled(self, enabled: bool) -> None:
        """Lets it be pressed, or not."""
        if enabled == ("disabled" in self.props):
            if enabled:
                del self.props["disabled"]
            else:
                self.props["disabled"] = True
            self.update()


class Figure(ui.element):
    """A figure under its name, as a `div` of a `dl`."""

    def __init__(self, name: str) -> None:
        super().__init__("div")
        self.classes("figure")
        with self:
            Tag("dt", name)
            self._value = Tag("dd", NOTHING)

    def say(self, text: str, title: str = "") -> None:
        """Changes the figure."""
        self._value.say(text, title)


class EmptyState(ui.element):
    """What to show instead of a table with nothing in it: why, and what to do next."""

    def __init__(self, icon: str, headline: str, advice: str) -> None:
        super().__init__("div")
        self.classes("empty")
        with self:
            ui.icon(icon)
            self._headline = Tag("p", headline).classes("headline")
            self._advice = Tag("p", advice)

    def say(self, headline: str, advice: str) -> None:
        """Changes the words."""
        self._headline.set_text(headline)
        self._advice.set_text(advice)


def choices(label: str, links: Mapping[str, str], chosen: str) -> None:
    """Links of which one is the current: they reload the page, and can be shared."""
    with Tag("nav", aria_label=label):
        for text, url in links.items():
            link = Tag("a", text, href=url)
            if text == chosen:
                link.props["aria-current"] = "true"


def coin_url(key: Key, interval: str | None = None) -> str:
    """Where the page shows an asset."""
    asked = f"?currency={quote(key.quote_currency, safe='')}" + (f"&interval={interval}" if interval else "")
    return f"/coin/{quote(key.source, safe='')}/{quote(key.asset, safe='')}{asked}"


def coin_name(name: str | None, key: Key) -> str:
    """What to call an asset: its name, or its id where the name shows nothing."""
    return visible(name) or visible(key.asset) or "unnamed"


def has_hidden_characters(name: str | None) -> bool:
    """True for a name that is not shown as the venue wrote it."""
    said = " ".join((name or "").split())
    return bool(said) and visible(name) != said
