"""Products are told apart at their hyphen, and every recorded one can be."""

from __future__ import annotations

import json

import pytest

from coinlake.testing.recordings import Recording, load
from coinlake_coinbase import recordings
from coinlake_coinbase.products import Pair, split


@pytest.mark.parametrize("listed", load(recordings.PRODUCTS), ids=lambda one: one.path.name)
def test_every_recorded_product_splits_into_its_own_currencies(listed: Recording) -> None:
    for product in json.loads(listed.body):
        assert split(product["id"]) == Pair(product["base_currency"], product["quote_currency"])


@pytest.mark.parametrize(
    "text", ["", "BTC", "BTC-", "-USD", "BTC-USD-EUR", "btc-usd", "BTC/USD", "BTC-USD\n"]
)
def test_a_text_that_is_no_product_splits_into_nothing(text: str) -> None:
    assert split(text) is None
