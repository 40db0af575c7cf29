"""Plugins: what they may offer, and how they are found.

Hooks register and observe; they never carry the data path. A plugin that cannot be loaded stops the
start with its name and the reason, because a platform that silently lacks a source loses history.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

import pluggy

from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.model import Capture, Decoded
from coinlake.settings import Table, parse_table, unknown
from coinlake.source import Source

GROUP = "coinlake"
"""Entry-point group (and pluggy project) of plugins outside this repository."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

Offer = TypeVar("Offer")

Step = Callable[[Decoded], Decoded]
"""A refine step: pure, from rows and rejects to rows and rejects."""


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """A source that can be made from its settings table `[sources.<name>]`."""

    name: str
    settings: type[Table]
    make: Callable[[Any], Source]


class Specification:
    """Every hook a plugin may implement."""

    @hookspec
    def coinlake_sources(self) -> Iterable[SourcePlugin]:  # type: ignore[empty-body]
        """The sources this plugin offers."""

    @hookspec
    def coinlake_stages(self) -> Mapping[str, Step]:  # type: ignore[empty-body]
        """The refine steps this plugin offers, by the name used in `refine.steps`."""

    @hookspec
    def coinlake_capture_fetched(self, capture: Capture) -> None:
        """An answer was judged worth keeping; it is not stored yet."""

    @hookspec
    def coinlake_capture_stored(self, capture: Capture, new: bool) -> None:
        """A capture is durable; `new` is False where the lake had it already."""

    @hookspec
    def coinlake_batch_refined(self, decoded: Decoded) -> None:
        """A batch is refined and about to be loaded."""

    @hookspec
    def coinlake_batch_staged(self) -> None:
        """A batch stands in the warehouse's transaction, which is not committed yet."""

    @hookspec
    def coinlake_batch_committed(self, position: int) -> None:
        """All captures up to `position` are in the warehouse for good."""


@dataclass(frozen=True)
class Plugins:
    """What the loaded plugins offer; `observe` is where the observing hooks are called."""

    sources: Mapping[str, SourcePlugin]
    stages: Mapping[str, Step]
    observe: pluggy.HookRelay

    def make_source(self, name: str, given: Mapping[str, Any]) -> Source:
        """The source of that name with its settings table checked; or `FixConfiguration`."""
        if name not in self.sources:
            raise FixConfiguration(
                f"sources.{name}: {unknown('source', name, list(self.sources))} Is its plugin installed?"
            )
        plugin = self.sources[name]
        settings = parse_table(plugin.settings, given, f"sources.{name}")
        try:
            return plugin.make(settings)
        except CoinlakeError:
            raise
        except Exception as error:
            raise FixConfiguration(
                f"sources.{name}: its plugin cannot make the source: {type(error).__name__}: {error}."
            ) from error

    def steps(self, names: Sequence[str]) -> list[Step]:
        """The steps of those names, in that order; or `FixConfiguration`."""
        for name in names:
            if name not in self.stages:
                raise FixConfiguration(
                    f"refine.steps: {unknown('step', name, list(self.stages))} Is its plugin installed?"
                )
        return [self.stages[name] for name in names]


Broken = list[FixConfiguration]
"""What is wrong with plugins that are left out."""


def load(
    modules: Iterable[str],
    *,
    installed: bool = True,
    observers: Iterable[object] = (),
    broken: Broken | None = None,
) -> Plugins:
    """Loads plugins from modules by name, then (if `installed`) those of the entry-point group.

    `observers` are objects of the program itself that implement observing hooks.
    Raises `FixConfiguration` naming the plugin that is broken and why; where a list `broken` is given, such a
    plugin is left out and its error put there.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Specification)
    entries = sorted(entry_points(group=GROUP), key=lambda e: e.name) if installed else ()
    found: list[tuple[str, Callable[[], object]]] = [
        *((module, partial(importlib.import_module, module)) for module in modules),
        *((f"{entry.name} (of {_distribution(entry)})", entry.load) for entry in entries),
        *((type(observer).__name__, partial(_itself, observer)) for observer in observers),
    ]
    for name, find in found:
        with left_out(broken):
            _register(manager, name, find)
    sources = _offers(manager, "coinlake_sources", "source", _named_sources, broken)
    stages = _offers(manager, "coinlake_stages", "refine step", _named_steps, broken)
    return Plugins(sources, stages, manager.hook)


@contextmanager
def left_out(broken: Broken | None) -> Iterator[None]:
    """Puts a `FixConfiguration` into the list, if there is one, and goes on behind the `with`."""
    try:
        yield
    except FixConfiguration as error:
        if broken is None:
            raise
        broken.append(error)


def _register(manager: pluggy.PluginManager, name: str, find: Callable[[], object]) -> None:
    try:
        plugin = find()
        manager.register(plugin, name=name)
        try:
            manager.check_pending()
        except Exception:
            manager.unregister(plugin)  # else the check of the next would find its fault again
            raise
    except (Exception, SystemExit) as error:  # a module may end the program as it is imported
        raise FixConfiguration(
            f"Plugin {name} cannot be loaded: {type(error).__name__}: {error}. "
            "Mend or uninstall it, or take it out of `plugins`."
        ) from error


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown package"


def _itself(observer: object) -> object:
    return observer


def _offers(
    manager: pluggy.PluginManager,
    hook: str,
    kind: str,
    named: Callable[[Any], list[tuple[str, Offer]]],
    broken: Broken | None,
) -> dict[str, Offer]:
    """What plugins answer to a registering hook, by name; each is asked alone, so that a fault has a name."""
    offers: dict[str, Offer] = {}
    givers: dict[str, str] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        plugin = implementation.plugin_name
        with left_out(broken):
            for name, offer in _asked(plugin, hook, implementation.function, named):
                if name in offers:
                    raise FixConfiguration(
                        f"Two plugins offer a {kind} named {name!r}, {givers[name]} and {plugin}: "
                        "uninstall one of them."
                    )
                offers[name] = offer
                givers[name] = plugin
    return offers


def _asked(
    plugin: str,
    hook: str,
    offered: Callable[[], Any],
    named: Callable[[Any], list[tuple[str, Offer]]],
) -> list[tuple[str, Offer]]:
    try:
        return named(offered())
    except Exception as error:
        raise FixConfiguration(
            f"Plugin {plugin} failed in {hook}: {type(error).__name__}: {error}. Mend or uninstall it."
        ) from error


def _named_sources(offered: Iterable[SourcePlugin]) -> list[tuple[str, SourcePlugin]]:
    return [(source.name, source) for source in offered]


def _named_steps(offered: Mapping[str, Step]) -> list[tuple[str, Step]]:
    for name, step in offered.items():
        if not callable(step):
            raise TypeError(f"step {name!r} cannot be called")
    return list(offered.items())
