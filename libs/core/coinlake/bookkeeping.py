"""Threads of their own for what is written down: quota, the health of feeds, captures.

The default threads of an event loop also look hosts up, which can hang for as long as a resolver likes, and
load batches. No venue's bookkeeping may stand behind that.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_THREADS = ThreadPoolExecutor(4, thread_name_prefix="coinlake-bookkeeping")


async def written_down(
    work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
) -> _Result:
    """What `work` returns or raises; meanwhile the event loop goes on. Work is short: one transaction."""
    inside = contextvars.copy_context()  # the trace goes with it
    return await asyncio.get_running_loop().run_in_executor(
        _THREADS, partial(inside.run, work, *given, **named)
    )
