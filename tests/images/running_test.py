"""The main job, from the venue to PostgreSQL, by containers of the images, each killed on the way."""

from __future__ import annotations

import pytest

from images.scene import Platform, until

pytestmark = pytest.mark.timeout(900)  # the first test builds the images


def test_captures_go_from_the_venue_to_postgresql_whatever_is_killed(platform: Platform) -> None:
    with (
        platform.container("coinlake") as capturing,
        platform.container("coinlake-producer") as publishing,
        platform.container("coinlake-spark") as loading,
    ):
        until(platform.loaded, capturing, publishing, loading)
        for container in (capturing, publishing, loading):
            loaded = platform.loaded()
            container.kill_and_start()
            until(lambda loaded=loaded: platform.loaded() > loaded, container)  # type: ignore[misc]
            assert container.trouble() == ""
        assert capturing.stop() == 0
        until(lambda: platform.waiting() == [0, 0], publishing, loading)
        assert publishing.stop() == 0
        assert loading.stop() == 0
    assert platform.is_whole()
