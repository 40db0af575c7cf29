"""Binance Spot as a source."""
