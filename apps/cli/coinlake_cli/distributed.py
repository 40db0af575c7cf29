"""The parts of the distributed profile: servers that people run, named by the settings; none is started here.

Clients of these servers are imported when they are used: the embedded program needs none of them.
"""

from __future__ import annotations

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
