"""Which two assets a symbol such as "BTCUSDT" is made of: tickers and klines give only the symbol.

The quote asset is the longest one that the symbol ends in. This is so for every symbol of the recorded
`exchangeInfo` answers (`recordings/symbols.tsv`; a test goes through all of them). A quote asset that Binance
adds later splits nothing before it stands here: its symbols are refused rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_RECORDED = (
    "AUD BIDR BKRW BNB BRL BTC BUSD BVND DAI DOGE DOT ETH EUR GBP IDRT NGN PAX PLN RON RUB TRX TRY TUSD UAH "
    "USDC USDP USDS USDT UST VAI XRP ZAR"
)
_LATER = "ARS COP CZK EURI FDUSD IDR JPY KZT MXN SOL U USD1"
"""Quote assets younger than our recordings, from public lists of Binance's."""

QUOTE_ASSETS = frozenset(f"{_RECORDED} {_LATER}".split())


class Pair(NamedTuple):
    """Both by Binance's own codes: what is traded, and what its price is counted in."""

    base: str
    quote: str


_AGAINST_THE_RULE: Mapping[str, Pair] = {
    # AEUR is no quote asset above: ADAEUR and all its like are against EUR.
    **{f"{base}AEUR": Pair(base, "AEUR") for base in ("BTC", "ETH", "EUR")},
    # The rupiah came after BIDR was gone, and is taken for it behind a B.
    **{f"{base}IDR": Pair(base, "IDR") for base in ("ARB", "BNB", "SHIB")},
}


def split(symbol: str) -> Pair | None:
    """The two assets of a symbol; None where no known quote asset ends it."""
    if symbol in _AGAINST_THE_RULE:
        return _AGAINST_THE_RULE[symbol]
    for start in range(1, len(symbol)):
        if symbol[start:] in QUOTE_ASSETS:
            return Pair(symbol[:start], symbol[start:])
    return None
