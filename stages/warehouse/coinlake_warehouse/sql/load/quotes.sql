-- Upserts quotes, one a key, where others may stand already. Of several answers about one moment the one
-- received first stands, whatever the order they are loaded in; the same row read anew (by a newer plugin)
-- replaces its old reading.
WITH written AS (
    INSERT INTO quotes AS standing
    SELECT * FROM staged_quotes
    ON CONFLICT (source, asset, quote_currency, granularity, as_of) DO UPDATE SET
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
    WHERE (excluded.fetched_at, excluded.capture_id, excluded.path)
        <= (standing.fetched_at, standing.capture_id, standing.path)
        AND excluded.* *<> standing.*
    RETURNING source, asset, quote_currency, granularity, as_of
)
INSERT INTO touched
SELECT asset_number, granularity, as_of
FROM written
JOIN staged_assets USING (source, asset, quote_currency)
