-- The newest live quote of each asset that a batch touched, unless a newer one stands already.
INSERT INTO latest_quotes AS standing
SELECT quote.*
FROM (
    SELECT asset_number, max(as_of) AS as_of
    FROM touched
    WHERE granularity = 'live'
    GROUP BY asset_number
) AS newest
JOIN staged_assets AS asset USING (asset_number)
CROSS JOIN LATERAL (
    SELECT *
    FROM quotes
    WHERE source = asset.source
        AND asset = asset.asset
        AND quote_currency = asset.quote_currency
        AND granularity = 'live'
        AND as_of = newest.as_of
        AND as_of >= %(since)s
        AND as_of < %(until)s
    OFFSET 0 -- asked asset by asset: the planner must not read all quotes for it
) AS quote
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
