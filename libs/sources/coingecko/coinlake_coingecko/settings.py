"""The table `[sources.coingecko]` of `coinlake.toml`, and what each plan means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from coinlake.settings import Cadence, Root, Secret, Table


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of access CoinGecko sells or gives. The numbers are those of its cheapest form."""

    root: str
    key_header: str | None
    calls_per_minute: int
    credits_per_month: int | None


PLANS: Mapping[str, Plan] = {
    "keyless": Plan("https://api.coingecko.com/api/v3", None, 5, None),
    "demo": Plan("https://api.coingecko.com/api/v3", "x-cg-demo-api-key", 30, 10_000),
    "pro": Plan("https://pro-api.coingecko.com/api/v3", "x-cg-pro-api-key", 250, 100_000),
}


class CoinGeckoSettings(Table):
    """What to poll, how often and with which key."""

    plan: Literal["keyless", "demo", "pro"] = "keyless"
    api_key: Secret | None = None
    """The key of a demo or pro plan; `api_key_file` names a file that holds it."""
    top: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many coins, from the largest market capitalisation down."""
    every: Cadence = timedelta(minutes=3)
    """Cadence of `markets`."""
    vs_currency: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9]+$")] = "usd"
    """The currency that prices are quoted in."""
    root: Root | None = None
    """Another root than the plan's, such as a replay server's."""
    calls_per_minute: PositiveInt | None = None
    """What your plan allows, where that is not the plan's default."""
    credits_per_month: PositiveInt | None = None
    """What your plan allows, where that is not the plan's default."""

    @model_validator(mode="after")
    def _check_key(self) -> CoinGeckoSettings:
        key = self.api_key.get_secret_value() if self.api_key else ""
        if self.plan == "keyless" and key:
            raise ValueError(
                'plan "keyless" takes no api_key: set plan to "demo" or "pro", or remove the key'
            )
        if self.plan != "keyless" and not key:
            raise ValueError(
                f'plan "{self.plan}" needs api_key or api_key_file (COINLAKE_SOURCES__COINGECKO__API_KEY), '
                'or set plan to "keyless"'
            )
        if key and not re.fullmatch(r"[!-~]+", key):
            raise ValueError("api_key holds a space or another character that no key has; copy it again")
        return self
