"""Coinbase Exchange as a source."""
