"""Made-up answers between recorded ones, for load tests; they are marked synthetic wherever they show."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from operator import itemgetter

from coinlake.testing.recordings import Recording

MakeBody = Callable[[Recording, Recording, datetime, random.Random], bytes]
"""Makes a body for a moment between an earlier and a later recording; the same from the same randomness."""


def synthetic_between(
    recordings: Sequence[Recording], every: timedelta, seed: int, make: MakeBody
) -> Iterator[Recording]:
    """Made-up recordings every `every` between each two of the recordings, which stay as they are.

    `recordings` are of one endpoint and market. Bodies are made when they are read, by the source's
    `make`, and are the same for the same seed.
    """
    timed = [(r.recorded_at, r) for r in recordings if r.recorded_at and r.status == 200]
    for (since, earlier), (until, later) in pairwise(sorted(timed, key=itemgetter(0))):
        moment = since + every
        while moment < until:
            yield Recording(
                path=earlier.path,
                read=partial(_made, make, earlier, later, moment, seed),
                url=earlier.url,
                headers=earlier.headers,
                recorded_at=moment,
                synthetic=True,
            )
            moment += every


def _made(make: MakeBody, earlier: Recording, later: Recording, moment: datetime, seed: int) -> bytes:
    return make(earlier, later, moment, random.Random(f"{seed} {moment.isoformat()}"))  # noqa: S311
