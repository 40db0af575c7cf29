"""CoinGecko as a source."""
