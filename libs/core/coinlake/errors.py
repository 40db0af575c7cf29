"""Every error Coinlake raises on purpose, grouped by what whoever catches it must do.

The message of each says what happened, to what, and what to do; the command line prints it as it is.
Secrets never stand in a message: whoever raises one has only ever seen them as `Secret`.
"""

from __future__ import annotations

from datetime import datetime


class CoinlakeError(Exception):
    """The root: anything Coinlake says on purpose. Anything else that is raised is a defect."""


class TryAgain(CoinlakeError):
    """A passing fault (a time-out, a 5xx, a server restarting): the same call may go through later."""

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s
        """Seconds the other side asked us to wait; None where it did not say."""


class WaitUntil(CoinlakeError):
    """Nothing may be sent before a moment: a ban, or a quota that is used up."""

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Refused(CoinlakeError):
    """The other side's answer is a plain no, or cannot be kept: asking the same again is useless."""


class FixConfiguration(CoinlakeError):
    """A person must change a setting, a right or a file; the message names it."""


class Interrupted(CoinlakeError):
    """The person asked us to stop; everything stored so far is safe."""
