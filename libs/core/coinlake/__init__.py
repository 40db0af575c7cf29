"""Coinlake's core: the model, the protocols between rooms, fetching, settings and plugin loading."""

__version__ = "0.1.0"
