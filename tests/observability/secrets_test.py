"""No secret of any setting is in a log line, wherever and in whatever form somebody puts it there."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import quote

import pytest
import structlog
from hypothesis import HealthCheck, example, given
from hypothesis import settings as runs
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from coinlake import secrets
from coinlake.errors import FixConfiguration
from coinlake.settings import Settings, Table, parse_table
from coinlake.telemetry import logs
from coinlake_binance.settings import BinanceSettings
from coinlake_coinbase.settings import CoinbaseSettings
from coinlake_coingecko.settings import CoinGeckoSettings

TABLES: tuple[type[BaseModel], ...] = (Settings, BinanceSettings, CoinbaseSettings, CoinGeckoSettings)


def secret_settings(model: type[BaseModel], *path: str) -> Iterator[tuple[str, ...]]:
    """The place of every secret below a table."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Table):
            yield from secret_settings(kind, *path, name)
        elif SecretStr in (kind, *get_args(kind)):
            yield *path, name


PLACES = [(model, place) for model in TABLES for place in secret_settings(model)]

# Settings are read from files and variables, where a secret is one line without spaces around it.
TEXTS = st.text(
    st.characters(
        min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="*", exclude_categories=["Cs", "Cc"]
    ),
    min_size=secrets._SHORTEST,
    max_size=40,
).filter(lambda text: text == text.strip())


def settings_with(model: type[BaseModel], place: tuple[str, ...], secret: str) -> BaseModel:
    """Those settings with the secret in its place; what else may stand there is not the question here."""
    *tables, _ = place
    kinds = [model]
    for table in tables:
        kind = kinds[-1].model_fields[table].annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        kinds.append(kind)
    held: object = SecretStr(secret)
    for kind, part in zip(reversed(kinds), reversed(place), strict=True):
        held = kind.model_construct(None, **{part: held})
    assert isinstance(held, BaseModel)
    return held


def written(form: logs.Form, secret: str, held: BaseModel) -> str:
    """What stands on stderr after the secret was logged in every careless way."""
    stderr = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        logs.log_to_stderr(logging.INFO, form)
        log = structlog.get_logger("test")
        log.info(f"said {secret} aloud")
        log.info("as.value", value=secret, settings=held, nested={"list": [secret, {"k": (secret, 1)}]})
        log.info(
            "as.form",
            url=f"https://me:{quote(secret, safe='')}@host/",
            json=json.dumps({"k": secret}),
            text=repr(secret),
        )
        log.info("as.bytes.of.text", body=str(secret.encode().decode()))
        logging.getLogger("a.library").warning("connecting with %s", secret)
        try:
            raise FixConfiguration(f"cannot log in with {secret}")
        except FixConfiguration:
            log.exception("as.exception")
    return stderr.getvalue()


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a document but the keys, which are ours."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


def test_every_secret_that_there_is_is_among_those_tried() -> None:
    named = {".".join(place) for _, place in PLACES}
    assert named >= {"warehouse.dsn", "lake.url", "bus.password", "api_key"}


@pytest.mark.parametrize(
    ("model", "place"), PLACES, ids=lambda given: ".".join(given) if isinstance(given, tuple) else ""
)
@given(secret=TEXTS)
@example(secret='quo"te\\back')
@example(secret="per%cent%20")
@example(secret="pass word/@:?#")
@example(secret='": "')
@runs(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_is_in_no_line_and_lines_stay_whole(
    monkeypatch: pytest.MonkeyPatch, model: type[BaseModel], place: tuple[str, ...], secret: str
) -> None:
    hidden = secrets.Hidden()
    monkeypatch.setattr(logs, "HIDDEN", hidden)
    held = settings_with(model, place, secret)
    hidden.add(held)
    lines = [json.loads(line) for line in written("json", secret, held).splitlines()]
    assert len(lines) == 6
    assert not [text for line in lines for text in texts_in(line) if secret in text]
    assert lines[1]["nested"]["list"][1]["k"][1] == 1


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_password_within_an_address_is_hidden_where_it_stands_alone(
    monkeypatch: pytest.MonkeyPatch, form: logs.Form
) -> None:
    hidden = secrets.Hidden()
    monkeypatch.setattr(logs, "HIDDEN", hidden)
    held = settings_with(
        Settings, ("warehouse", "dsn"), "postgresql://me:p%40ss-word@db.example.org:5432/prices"
    )
    hidden.add(held)
    assert "p@ss-word" not in written(form, "p@ss-word", held)
    assert "p%40ss-word" not in written(form, "p%40ss-word", held)


def test_settings_that_are_read_are_hidden_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from coinlake import settings

    hidden = secrets.Hidden()
    monkeypatch.setattr(settings, "HIDDEN", hidden)
    monkeypatch.setenv("COINLAKE_BUS__PASSWORD", "of-the-bus")
    settings.load()
    parse_table(CoinGeckoSettings, {"api_key": "of-the-source", "plan": "demo"}, "sources.coingecko")
    assert hidden.from_text("of-the-bus of-the-source") == "*** ***"
