"""What anybody may break in a running scene, a word for each, and the alert that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from observed.scene import Scene
from observed.venues import BITCOIN, Mood

_CRASH = 0.85
_BACKFILLED = 10


@dataclass(frozen=True)
class Fault:
    """One of them."""

    what: str
    """What happens, said as a sentence."""
    alert: str
    text: str
    """What the alert's summary has in it."""
    happen: Callable[[Scene], None]


def _mood(kind: str, mood: Mood) -> Callable[[Scene], None]:
    def happen(scene: Scene) -> None:
        scene.venues[kind].mood = mood

    return happen


def _crash(scene: Scene) -> None:
    scene.backfill(BITCOIN, _BACKFILLED)
    for venue in scene.venues.values():
        venue.price = int(BITCOIN * _CRASH)


def _outlier(scene: Scene) -> None:
    scene.venues["coingecko"].price = int(BITCOIN * _CRASH)


FAULTS: Mapping[str, Fault] = {
    "producer": Fault(
        "The producer is killed.",
        "ServiceDown",
        "coinlake-producer is down",
        lambda scene: scene.producer.kill(),
    ),
    "spark": Fault(
        "The Spark program is killed.",
        "ServiceDown",
        "coinlake-spark is down",
        lambda scene: scene.spark.kill(),
    ),
    "kafka": Fault("The broker is killed.", "ServiceDown", "kafka is down", lambda scene: scene.kafka.kill()),
    "frozen-kafka": Fault(
        "The broker takes connections, and does nothing.",
        "IngestionLagging",
        "lake_to_topic is",
        lambda scene: scene.freeze_broker(),
    ),
    "logs": Fault(
        "The store of logs is killed.",
        "TelemetryLost",
        "loses what otlphttp/loki",
        lambda scene: scene.watching.logs.kill(),
    ),
    "silence": Fault(
        "CoinGecko answers with nothing but errors.",
        "FeedStale",
        "coingecko markets",
        _mood("coingecko", "silent"),
    ),
    "frozen-prices": Fault(
        "Binance serves the prices of this moment for ever.",
        "PricesFrozen",
        "binance serves prices",
        _mood("binance", "frozen"),
    ),
    "nonsense": Fault(
        "Coinbase answers with a page of HTML, and says that all is well.",
        "DeadLettersRising",
        "of coinbase",
        _mood("coinbase", "nonsense"),
    ),
    "ban": Fault(
        "Binance bans us.", "SourceBanned", "binance lets us ask again", _mood("binance", "banning")
    ),
    "outlier": Fault(
        "CoinGecko's price of Bitcoin is 15% below that of the others.",
        "PriceOutlier",
        "coingecko: bitcoin is 15% off",
        _outlier,
    ),
    "crash": Fault("Bitcoin falls by 15%, everywhere.", "BitcoinDown", "Bitcoin is -15%", _crash),
}
