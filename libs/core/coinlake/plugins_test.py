"""A broken plugin stops the start with its name and the reason; every hook is called."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from coinlake import plugins
from coinlake.errors import FixConfiguration
from coinlake.model import Decoded
from coinlake.plugins import SourcePlugin, Step, hookimpl, load
from coinlake.settings import Table


def module(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> str:
    """Makes a module importable for the length of a test."""
    made = ModuleType(name)
    vars(made).update(members)
    monkeypatch.setitem(sys.modules, name, made)
    return name


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    return [SourcePlugin("venue", Table, lambda settings: settings)]


@hookimpl
def coinlake_stages() -> Mapping[str, Step]:
    return {"as_is": lambda decoded: decoded}


def test_a_plugin_module_offers_sources_and_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    name = module(monkeypatch, "offers", coinlake_sources=coinlake_sources, coinlake_stages=coinlake_stages)
    found = load([name], installed=False)
    assert list(found.sources) == ["venue"]
    assert isinstance(found.make_source("venue", {}), Table)
    assert [step.__name__ for step in found.steps(["as_is"])] == ["<lambda>"]


def test_an_unknown_source_or_step_is_refused_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    name = module(monkeypatch, "offers", coinlake_sources=coinlake_sources, coinlake_stages=coinlake_stages)
    found = load([name], installed=False)
    with pytest.raises(FixConfiguration, match=r"sources\.vneue: .*did you mean 'venue'"):
        found.make_source("vneue", {})
    with pytest.raises(FixConfiguration, match=r"refine\.steps: .*did you mean 'as_is'"):
        found.steps(["as_si"])


def test_a_module_that_is_not_there_stops_the_start_by_its_name() -> None:
    with pytest.raises(FixConfiguration, match=r"Plugin no\.such cannot be loaded: ModuleNotFoundError"):
        load(["no.such"], installed=False)


def test_a_hook_nobody_calls_is_refused_because_it_is_a_misspelt_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def coinlake_surces() -> None: ...

    name = module(monkeypatch, "misspelt", coinlake_surces=coinlake_surces)
    with pytest.raises(FixConfiguration, match=r"Plugin misspelt cannot be loaded.*coinlake_surces"):
        load([name], installed=False)


def test_a_hook_that_raises_stops_the_start_by_its_plugins_name(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl(specname="coinlake_sources")
    def broken() -> None:
        raise KeyError("lost")

    name = module(monkeypatch, "raises", broken=broken)
    with pytest.raises(FixConfiguration, match=r"Plugin raises failed in coinlake_sources: KeyError: 'lost'"):
        load([name], installed=False)


@hookimpl(specname="coinlake_sources")
def halfway() -> Iterable[SourcePlugin]:
    """A generator fails only when it is read."""
    yield SourcePlugin("venue", Table, lambda settings: settings)
    raise KeyError("lost")


@hookimpl(specname="coinlake_sources")
def nothing() -> None:
    """Forgot to return."""


@hookimpl(specname="coinlake_sources")
def names_only() -> list[str]:
    """Returns something else."""
    return ["venue"]


@hookimpl(specname="coinlake_stages")
def no_function() -> dict[str, object]:
    """Offers a step that is none."""
    return {"as_is": None}


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (halfway, "failed in coinlake_sources: KeyError: 'lost'"),
        (nothing, "failed in coinlake_sources: TypeError: "),
        (names_only, "failed in coinlake_sources: AttributeError: "),
        (no_function, "failed in coinlake_stages: TypeError: step 'as_is' cannot be called"),
    ],
)
def test_a_hook_that_offers_nonsense_stops_the_start_by_its_plugins_name(
    monkeypatch: pytest.MonkeyPatch, hook: object, said: str
) -> None:
    name = module(monkeypatch, "odd", hook=hook)
    with pytest.raises(FixConfiguration, match=f"Plugin odd {said}"):
        load([name], installed=False)


def test_a_hook_that_asks_for_what_it_is_not_given_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def coinlake_batch_committed(offset: int) -> None: ...

    name = module(monkeypatch, "greedy", coinlake_batch_committed=coinlake_batch_committed)
    with pytest.raises(FixConfiguration, match="Plugin greedy cannot be loaded: PluginValidationError"):
        load([name], installed=False)


@pytest.mark.parametrize("source", ["raise SystemExit(3)", "def broken(:", "1 / 0", "import no_such_module"])
def test_a_module_that_fails_to_import_stops_the_start_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    (tmp_path / "venue_plugin_that_fails.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FixConfiguration, match=r"Plugin venue_plugin_that_fails cannot be loaded: \w+: "):
        load(["venue_plugin_that_fails"], installed=False)


def test_a_source_that_cannot_be_made_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl(specname="coinlake_sources")
    def offer() -> list[SourcePlugin]:
        return [SourcePlugin("venue", Table, lambda settings: settings.root)]

    found = load([module(monkeypatch, "unmade", offer=offer)], installed=False)
    with pytest.raises(FixConfiguration, match=r"sources\.venue: its plugin cannot make .*AttributeError"):
        found.make_source("venue", {})


def test_two_plugins_with_one_sources_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [module(monkeypatch, name, coinlake_sources=coinlake_sources) for name in ("one", "two")]
    with pytest.raises(
        FixConfiguration, match=r"Two plugins offer a source named 'venue', (one and two|two and one)"
    ):
        load(names, installed=False)


def test_an_installed_plugin_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "installed_plugin", coinlake_sources=coinlake_sources)
    entry = EntryPoint("mine", "installed_plugin", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry] if group == plugins.GROUP else [])
    assert list(load([]).sources) == ["venue"]


def test_an_installed_plugin_that_is_broken_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", "no.such.module", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    with pytest.raises(FixConfiguration, match=r"Plugin mine .*cannot be loaded: ModuleNotFoundError"):
        load([])


def test_broken_plugins_are_left_out_by_their_names_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @hookimpl
    def coinlake_souces() -> None:
        """Nobody calls it."""

    @hookimpl
    def raises() -> Iterable[SourcePlugin]:
        raise RuntimeError("no key")

    names = [
        "no.such",
        module(monkeypatch, "misspelt", coinlake_souces=coinlake_souces),
        module(monkeypatch, "raises", coinlake_sources=raises),
        module(monkeypatch, "whole", coinlake_sources=coinlake_sources),
        module(monkeypatch, "second", coinlake_sources=coinlake_sources),
    ]
    broken: list[FixConfiguration] = []
    assert list(load(names, installed=False, broken=broken).sources) == ["venue"]
    assert [re.findall(r"no\.such|misspelt|raises|whole and second|\Z", str(each))[0] for each in broken] == [
        "no.such",
        "misspelt",
        "raises",
        "whole and second",
    ]


def test_observers_hear_what_happens() -> None:
    heard: list[object] = []

    class Observer:
        @hookimpl
        def coinlake_batch_refined(self, decoded: Decoded) -> None:
            heard.append(decoded)

        @hookimpl
        def coinlake_batch_committed(self, position: int) -> None:
            heard.append(position)

    observe = load([], installed=False, observers=[Observer()]).observe
    observe.coinlake_batch_refined(decoded="decoded")
    observe.coinlake_batch_committed(position=7)
    observe.coinlake_batch_staged()
    assert heard == ["decoded", 7]
