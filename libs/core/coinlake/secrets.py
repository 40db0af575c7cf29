"""Secrets of the settings, to be taken out of what is written for others: log lines and spans.

Nothing of ours is meant to write one. This is for what nobody meant: a library's message, a venue's echo.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

STARS = "***"

_SHORTEST = 4
"""A shorter secret protects nothing, and would star out every second word."""


class Hidden:
    """Secrets that are known by now."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def add(self, settings: BaseModel) -> None:
        """Takes up each secret of these settings, in every form in which it may be written."""
        forms = {form for secret in secrets_of(settings) for form in _forms_of(secret)}
        # The longest first: a whole URL goes before the password within it.
        self._forms = tuple(sorted({*self._forms, *forms}, key=len, reverse=True))

    def from_text(self, text: str) -> str:
        """The text with stars for secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, STARS)
        return text


HIDDEN = Hidden()
"""The secrets of all settings that this process has read."""


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Each secret below these settings."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from secrets_of(value)


def _forms_of(secret: str) -> Iterator[str]:
    """The secret, and of each URL in it the password, as they are and as URLs, JSON and Python write them."""
    parts = {secret}
    for url in secret.split() if "://" in secret else ():
        parts.add(url)
        with suppress(ValueError):  # not a URL after all
            parts.add(urlsplit(url).password or "")
    for part in parts:
        for form in (part, quote(part, safe=""), unquote(part)):
            for written in (
                form,
                json.dumps(form)[1:-1],
                json.dumps(form, ensure_ascii=False)[1:-1],
                repr(form)[1:-1],
            ):
                if len(written) >= _SHORTEST:
                    yield written
