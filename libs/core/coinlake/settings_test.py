"""Settings come from one file and the environment; a wrong one is named; secrets stay secret."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import Field

from coinlake.errors import FixConfiguration
from coinlake.settings import Duration, Secret, Settings, Table, load, parse_table

SECRET = "CG-very-secret"


class Region(Table):
    """A table within a source's table."""

    host: str = ""


class Venue(Table):
    """A source's table."""

    region: Region | None = None
    regions: dict[str, Region] = Field(default_factory=dict)

    api_key: Secret | None = None
    every: Duration = timedelta(minutes=3)
    top: int = 100
    pairs: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(toml: str) -> Settings:
    """Settings from a file of that text."""
    Path("coinlake.toml").write_text(toml, encoding="utf-8")
    return load()


def test_without_a_file_everything_has_a_default() -> None:
    settings = load()
    assert settings.page.host == "127.0.0.1"
    assert settings.sources == {"coingecko": {}}
    assert settings.folder.is_absolute()


def test_the_file_in_the_working_directory_is_taken_and_one_can_be_named(tmp_path: Path) -> None:
    assert loaded("[page]\nport = 1234").page.port == 1234
    (tmp_path / "other.toml").write_text("[page]\nport = 4321")
    assert load(Path("other.toml")).page.port == 4321


def test_a_named_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(FixConfiguration, match=r"no settings file gone\.toml"):
        load(Path("gone.toml"))


def test_the_environment_wins_over_the_file_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINLAKE_PAGE__PORT", "99")
    monkeypatch.setenv("COINLAKE_SOURCES__COINGECKO__TOP", "7")
    settings = loaded('[page]\nport = 1\n[sources.coingecko]\ntop = 5\nevery = "5m"')
    assert settings.page.port == 99
    venue = parse_table(Venue, settings.sources["coingecko"], "sources.coingecko")
    assert (venue.top, venue.every) == (7, timedelta(minutes=5))


def test_a_list_of_a_source_is_json_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINLAKE_SOURCES__VENUE__PAIRS", '["BTC-USD", "ETH-USD"]')
    monkeypatch.setenv("COINLAKE_SOURCES__VENUE__TOP", "7")
    venue = parse_table(Venue, loaded("").sources["venue"], "sources.venue")
    assert (venue.pairs, venue.top) == (("BTC-USD", "ETH-USD"), 7)


@pytest.mark.parametrize("text", ["BTC-USD", "[BTC-USD]", '{"a": 1}', "[1]"])
def test_a_text_that_is_no_such_list_is_refused(text: str) -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.venue\.pairs"):
        parse_table(Venue, {"pairs": text}, "sources.venue")


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("foldr = 'x'", "foldr: unknown setting 'foldr'; did you mean 'folder'?"),
        ("[page]\nprot = 1", "page.prot: unknown setting 'prot'; did you mean 'port'?"),
        ("zzz = 1", "unknown setting 'zzz'; known are alerts, assets, bus"),
        ("[page]\nport = 'x'", "page.port: Input should be a valid integer"),
        ("[page]\nport = 70000", "page.port: "),
        ("[fetch]\nattempts = 0", "fetch.attempts: "),
        ("folder = 'x'\n[page", "Cannot read the settings in coinlake.toml: "),
        ("folder = 'x'\nport 1", "(at line 2, column 6)"),
        ("sources.coingecko = 1", "sources.coingecko: Input should be a valid dictionary"),
        ("folder = '~nobody-of-this-name/lake'", "folder: "),
        ("[refine]\nsteps = 'validate'", "refine.steps: "),
        ("[refine]\nbatch_captures = 0\n[page]\nprot = 1", "refine.batch_captures: "),
        ("profile = 'scattered'", "profile: "),
        ("[bus]\nsecurity_protocol = 'SASL_SSL'", "bus: SASL_SSL needs username and password"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_its_name(toml: str, said: str) -> None:
    with pytest.raises(FixConfiguration) as refused:
        loaded(toml)
    assert said in str(refused.value)


def test_an_unknown_variable_is_refused_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINLAKE_FOLDR", "x")
    with pytest.raises(FixConfiguration, match=r"COINLAKE_FOLDR.*did you mean 'folder'"):
        load()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("COINLAKE_PAGE__PROT", "1", "page.prot: unknown setting 'prot'; did you mean 'port'?"),
        ("COINLAKE_PAGE__PORT", "x", "page.port: Input should be a valid integer"),
        ("COINLAKE_PLUGINS", "no.json", "Cannot read the settings in the environment: "),
        ("COINLAKE_WAREHOUSE", f'{{"dsn": "{SECRET}"', "Cannot read the settings in the environment: "),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(FixConfiguration) as refused:
        load()
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_no_text_or_cannot_be_read_is_refused_by_its_name() -> None:
    Path("binary.toml").write_bytes(b"\xff\xfe")
    for file in ("binary.toml", "/proc/self/mem"):
        with pytest.raises(FixConfiguration, match=f"Cannot read the settings in {file}: "):
            load(Path(file))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"topp": 1}, r"sources\.venue\.topp: .*did you mean 'top'"),
        ({"region": {"hots": "x"}}, r"sources\.venue\.region\.hots: .*did you mean 'host'"),
        ({"regions": {"eu": {"hots": "x"}}}, r"sources\.venue\.regions\.eu\.hots: .*did you mean 'host'"),
    ],
)
def test_a_plugins_table_refuses_unknown_keys_by_their_full_name(given: dict[str, object], said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        parse_table(Venue, given, "sources.venue")


@pytest.mark.parametrize(
    ("text", "length"),
    [("30s", 30), ("3m", 180), ("1h", 3600), ("1d", 86400), (" 5m ", 300)],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, length: int) -> None:
    assert parse_table(Venue, {"every": text}, "").every == timedelta(seconds=length)


@pytest.mark.parametrize("text", ["3", "3 minutes", "m", "-3m", "1.5h", ""])
def test_a_length_of_time_that_is_not_is_refused_with_examples(text: str) -> None:
    with pytest.raises(FixConfiguration, match=r'"30s", "3m", "1h" or "1d"'):
        parse_table(Venue, {"every": text}, "sources.venue")


def test_a_secret_comes_from_a_file_and_is_shown_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    venue = parse_table(Venue, {"api_key_file": str(tmp_path / "key")}, "sources.venue")
    assert venue.api_key is not None
    assert venue.api_key.get_secret_value() == SECRET
    assert SECRET not in f"{venue!r} {venue} {venue.model_dump_json()}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"api_key": SECRET, "api_key_file": "key"}, "give api_key or api_key_file, not both"),
        ({"api_key_file": "gone"}, "cannot read api_key_file gone: No such file or directory"),
        ({"api_key_file": "."}, "cannot read api_key_file .: Is a directory"),
        ({"api_key_file": 5}, "cannot read api_key_file 5: No such file or directory"),
        ({"api_key_file": "a\0b"}, "embedded null"),
        ({"api_key_file": "~nobody-of-this-name/key"}, "cannot read api_key_file ~nobody-of-this-name/key: "),
        ({"api_key": [SECRET]}, "api_key: Input should be a valid string"),
        ({"api_key": SECRET, "topp": 1}, "did you mean 'top'"),
        ({"api_key": SECRET, "every": SECRET}, "whole number and a unit"),
    ],
)
def test_a_refusal_never_shows_a_secret(given: dict[str, object], said: str) -> None:
    with pytest.raises(FixConfiguration) as refused:
        parse_table(Venue, given, "sources.venue")
    assert said in str(refused.value)
    assert SECRET not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_the_warehouses_address_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINLAKE_WAREHOUSE__DSN", f"postgresql://me:{SECRET}@127.0.0.1/x")
    assert SECRET not in repr(load())


def test_a_secret_file_that_is_no_text_is_refused_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(FixConfiguration, match="it is not UTF-8 text") as refused:
        parse_table(Venue, {"api_key_file": str(tmp_path / "key")}, "sources.venue")
    assert SECRET not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_a_sources_key_from_the_environment_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINLAKE_SOURCES__VENUE__API_KEY", SECRET)
    settings = load()
    assert SECRET not in f"{settings!r} {settings}"
    key = parse_table(Venue, settings.sources["venue"], "sources.venue").api_key
    assert key is not None
    assert key.get_secret_value() == SECRET
