"""A shape that could not be read is refused where it is written down."""

from __future__ import annotations

from typing import Any

import pytest

from coinlake.decoding import Shape

KEYS = {"asset": "id", "price": "price", "as_of": "at"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keys": KEYS | {"colour": "c"}}, "no such columns: colour"),
        ({"keys": KEYS | {"name": "id"}}, "a key may be named once"),
        ({"keys": KEYS, "extra": ("price",)}, "a key may be named once"),
        ({"keys": KEYS, "extra": ("roi", "roi")}, "a key may be named once"),
        ({"keys": {"asset": "id", "price": "price"}}, "as_of and each required column must have a key"),
        ({"keys": {"asset": "id"}, "required": ("asset",)}, "as_of and each required column"),
        ({"keys": KEYS, "required": ("rank",)}, "as_of and each required column must have a key"),
    ],
)
def test_a_shape_that_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Shape(**given)
