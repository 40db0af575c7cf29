"""The parts of the distributed profile: servers that people run, named by the settings; none is started here.

Clients of these servers are imported when they are used: the embedded program needs none of them.
"""

from __future__ import annotations

from coinlake.account import Account
from coinlake.errors import FixConfiguration
from coinlake.lake import Lake
from coinlake.settings import Secret, Settings


def open_lake(settings: Settings) -> Lake:
    """The lake of the distributed profile. Refuses settings that lack one of its servers."""
    from coinlake_lake.mongo import MongoLake

    url = lake_url(settings)
    if settings.warehouse.dsn is None:
        raise FixConfiguration(
            "The warehouse of the distributed profile is a PostgreSQL of yours, which Spark loads: set "
            "warehouse.dsn (or COINLAKE_WAREHOUSE__DSN) to postgresql://login:password@host:port/database."
        )
    return MongoLake(url)


def lake_url(settings: Settings) -> Secret:
    """Where MongoDB is; `FixConfiguration` where the settings do not say."""
    if settings.lake.url is None:
        raise FixConfiguration(
            "The lake of the distributed profile is in MongoDB: set lake.url (or COINLAKE_LAKE__URL) to "
            "mongodb://user:password@host:port/database."
        )
    return settings.lake.url


def account_of(settings: Settings, lake: Lake, dsn: str) -> Account:
    """What became of the lake's captures in topic and warehouse; `dsn` is the warehouse's."""
    from coinlake.account import take
    from coinlake_bus.kafka import Bus
    from coinlake_bus.sightings import TopicSightings, published
    from coinlake_lake.mongo_positions import MongoPositions
    from coinlake_warehouse.closing import Topic
    from coinlake_warehouse.loaded import LoadedCaptures

    topic, name = Bus(settings.bus).topic(), settings.bus.topic
    with (
        MongoPositions(lake_url(settings), lake.id, name) as positions,
        LoadedCaptures(dsn, lake.id) as warehouse,
    ):
        # How far publishing and loading got is read first: what moves meanwhile is then no loss.
        up_to = published(positions.read(), topic)
        offsets = warehouse.offsets(Topic(name, topic.id))
        return take(lake, TopicSightings(settings.bus, lake.id, offsets), warehouse, up_to)


def publish_again(settings: Settings, lake: Lake, account: Account) -> int:
    """Sends what the warehouse misses to the topic once more; how many captures."""
    from coinlake_bus.kafka import Bus
    from coinlake_bus.republishing import republish

    return republish(lake, Bus(settings.bus), (entry.position for entry in account.warehouse.missing))
