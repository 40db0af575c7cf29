-- Each asset's prices in the newest bucket in which two venues have one.
SELECT
    comparison.asset, assets.name, comparison.open_time, comparison.source, comparison.venue_asset,
    comparison.quote_currency, comparison.price, comparison.usd_rate, comparison.price_usd,
    comparison.median_usd, comparison.distance_bp, comparison.face_distance_bp, comparison.as_of,
    comparison.age, comparison.legs, comparison.synthetic
FROM assets
CROSS JOIN LATERAL (
    -- The second newest of the venues' newest buckets: from there on two of them have prices.
    SELECT max(newest_bucket(source, venue_asset, quote_currency, %(interval)s)) AS open_time
    FROM asset_markets AS market
    WHERE market.asset = assets.asset
    GROUP BY source
    ORDER BY open_time DESC NULLS LAST
    OFFSET 1 LIMIT 1
) AS shared
CROSS JOIN LATERAL (
    SELECT *
    FROM price_comparison
    WHERE asset = assets.asset AND "interval" = %(interval)s AND open_time = shared.open_time
    OFFSET 0 -- asked bucket by bucket: the planner must not compare all prices for it
) AS comparison
ORDER BY comparison.asset, comparison.source, comparison.venue_asset, comparison.quote_currency;
