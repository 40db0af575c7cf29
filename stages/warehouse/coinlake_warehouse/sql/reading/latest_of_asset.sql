-- The newest quote of one asset in each currency it is quoted in.
SELECT
    source, asset, quote_currency, symbol, name, rank, price, price_change_pct_24h, market_cap,
    volume_24h, high_24h, low_24h, circulating_supply, total_supply, max_supply, as_of, fetched_at,
    synthetic, capture_id, path
FROM latest_quotes
WHERE source = %(source)s AND asset = %(asset)s
ORDER BY quote_currency;
