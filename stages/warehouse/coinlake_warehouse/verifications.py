"""The record of verifications: how old the proof is that nothing was lost, and what it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from coinlake_warehouse.connection import connect, explained
from coinlake_warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Verification:
    """A finished verification; the numbers are rows over all tables, and captures."""

    finished_at: datetime
    seconds: float
    captures: int
    pending: int
    missing: int
    doubled: int
    different: int
    extra: int
    damaged: int
    lost: int

    @property
    def is_clean(self) -> bool:
        """Whether it found nothing wrong."""
        return not (self.missing or self.doubled or self.different or self.extra or self.damaged or self.lost)


def keep(dsn: str, verification: Verification, *, is_whole: bool) -> None:
    """Puts a verification on record. Raises as `verify.verify` does."""
    with explained(dsn), connect(dsn, "verify") as session:
        session.execute(statement("verify/keep"), {**asdict(verification), "is_whole": is_whole})
