"""On what machine, with what versions and when a run was made: without it no figure means anything."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from coinlake_warehouse.postgres import MAJOR


def described() -> str:
    """One line."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; "
        f"{os.cpu_count()} cores of {_processor()}, {memory_gib:.0f} GiB; "
        f"load {os.getloadavg()[0]:.1f} before the run; {platform.system()}, "
        f"Python {platform.python_version()}, PostgreSQL {MAJOR}"
    )


def _processor() -> str:
    said = Path("/proc/cpuinfo")
    lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
