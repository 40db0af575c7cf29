"""Runs one of our programs so that it can be killed at its commit points; in Spark's workers, as a plugin.

`python -m chaos.struck coinlake_producer.main --config=FILE`
"""

from __future__ import annotations

import runpy
import sys

from chaos import points

if __name__ == "__main__":
    program = sys.argv.pop(1)
    (points.in_producer if program == "coinlake_producer.main" else points.in_spark)()
    runpy.run_module(program, run_name="__main__")
else:  # a plugin of the settings, which workers load before they stage anything
    points.in_spark()
