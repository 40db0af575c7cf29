"""The step keeps what every step must."""

from __future__ import annotations

from coinlake.model import AMOUNTS
from coinlake.testing import StageContract
from coinlake_quote_in_eur.plugin import MONEY, SUPPLIES


class TestQuoteInEur(StageContract):
    plugin = "coinlake_quote_in_eur.plugin"
    step = "quote-in-eur"
    leaves_out = frozenset(AMOUNTS) - {*MONEY, *SUPPLIES}
