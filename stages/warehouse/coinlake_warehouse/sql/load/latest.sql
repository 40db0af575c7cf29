-- The newest live quote of each asset that a batch touched, unless a newer one stands already.
INSERT INTO latest_quotes AS standing
SELECT quote.*
FROM (
    SELECT source, asset, quote_currency, granularity, max(as_of) AS as_of
    FROM touched
    WHERE granularity = 'live'
    GROUP BY source, asset, quote_currency, granularity
) AS newest
JOIN quotes AS quote USING (source, asset, quote_currency, granularity, as_of)
WHERE quote.as_of >= %(since)s AND quote.as_of < %(until)s
ON CONFLICT (source, asset, quote_currency) DO UPDATE SET
    granularity = excluded.granularity,
    as_of = excluded.as_of,
    fetched_at = excluded.fetched_at,
    symbol = excluded.symbol,
    name = excluded.name,
    price = excluded.price,
    volume_24h = excluded.volume_24h,
    market_cap = excluded.market_cap,
    fully_diluted_valuation = excluded.fully_diluted_valuation,
    high_24h = excluded.high_24h,
    low_24h = excluded.low_24h,
    price_change_24h = excluded.price_change_24h,
    price_change_pct_24h = excluded.price_change_pct_24h,
    market_cap_change_24h = excluded.market_cap_change_24h,
    market_cap_change_pct_24h = excluded.market_cap_change_pct_24h,
    circulating_supply = excluded.circulating_supply,
    total_supply = excluded.total_supply,
    max_supply = excluded.max_supply,
    rank = excluded.rank,
    extra = excluded.extra,
    synthetic = excluded.synthetic,
    capture_id = excluded.capture_id,
    path = excluded.path
WHERE excluded.as_of >= standing.as_of
