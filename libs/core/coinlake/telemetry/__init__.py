"""What Coinlake says of itself while it works: traces, metrics and logs.

`metrics` declares every metric, `tracing` makes spans, `logs` makes events; `program` sends what was asked
for, and `watching` looks up what no event tells.
"""

from __future__ import annotations

from coinlake.telemetry.program import running, start
from coinlake.telemetry.tracing import traceparent, tracer
from coinlake.telemetry.watching import Seen, Watcher, tell, watching

__all__ = ["Seen", "Watcher", "running", "start", "tell", "traceparent", "tracer", "watching"]
