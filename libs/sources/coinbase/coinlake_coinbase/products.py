"""What a product such as "BTC-USD" is made of: the asset before the hyphen, its currency behind it."""

from __future__ import annotations

import re
from typing import NamedTuple

_PRODUCT = re.compile(r"([A-Z0-9]+)-([A-Z0-9]+)", re.ASCII)


class Pair(NamedTuple):
    """Both by Coinbase's own codes: what is traded, and what its price is counted in."""

    base: str
    quote: str


def split(product: str) -> Pair | None:
    """The two codes of a product's id; None for a text that is none."""
    found = _PRODUCT.fullmatch(product)
    return Pair(found[1], found[2]) if found else None
