"""Refining against bare JSON decoding of the same bodies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from benchmarks.pages import COINS, captures
from benchmarks.result import Result, in_turn, per_s
from coinlake.model import AMOUNTS, capture_batch
from coinlake.refining import Refinery
from coinlake_coingecko.decode import MARKETS, decode
from coinlake_refine.plugin import coinlake_stages


def refinery() -> Refinery:
    """What the embedded profile refines with."""
    return Refinery({"coingecko": decode}, list(coinlake_stages().items()))


def against_decoding(*, pages: int, rounds: int) -> Result:
    """Rows/s of decode, validate and deduplicate over those of msgspec decoding to structs of Decimals."""
    made = list(captures(pages))
    bodies = [capture.body for capture in made]
    batch, refine = capture_batch(made), refinery().refine
    bare = msgspec.json.Decoder(list[coin()]).decode  # type: ignore[misc]

    def decode_all(_: int) -> None:
        for body in bodies:
            bare(body)

    turns = in_turn(rounds, lambda _: refine(batch), decode_all)
    refined_s, decoded_s = turns.medians
    rows = pages * COINS
    return Result(
        "refine, against bare msgspec decoding to decimals",
        turns.ratio,
        0.5,
        more_is_better=True,
        said=f"{per_s(rows, refined_s)} against {per_s(rows, decoded_s)}",
    )


def coin() -> Any:
    """A struct with every documented key of a coin."""
    amount, text = Decimal | None, str | None
    numbers = {MARKETS.keys[name] for name in AMOUNTS}
    numbers |= {"ath", "ath_change_percentage", "atl", "atl_change_percentage"}
    roi = msgspec.defstruct("Roi", [("times", amount), ("currency", text), ("percentage", amount)])
    texts = ("id", "symbol", "name", "image", "ath_date", "atl_date", "last_updated")
    fields = [*((name, amount) for name in sorted(numbers)), *((name, text) for name in texts)]
    return msgspec.defstruct("Coin", [*fields, ("market_cap_rank", int | None), ("roi", roi | None)])
