-- One asset's prices at all venues in the last buckets that hold any, oldest first.
WITH newest AS (
    SELECT max(newest_bucket(source, venue_asset, quote_currency, %(interval)s)) AS open_time
    FROM asset_markets
    WHERE asset = %(asset)s
)
SELECT
    comparison.asset, assets.name, comparison.open_time, comparison.source, comparison.venue_asset,
    comparison.quote_currency, comparison.price, comparison.usd_rate, comparison.price_usd,
    comparison.median_usd, comparison.distance_bp, comparison.face_distance_bp, comparison.as_of,
    comparison.age, comparison.legs, comparison.synthetic
FROM price_comparison AS comparison
JOIN assets USING (asset)
WHERE comparison.asset = %(asset)s
    AND comparison."interval" = %(interval)s
    AND comparison.open_time > (SELECT open_time FROM newest) - %(buckets)s * %(interval)s::interval
    AND comparison.open_time <= (SELECT open_time FROM newest)
ORDER BY comparison.open_time, comparison.source, comparison.venue_asset, comparison.quote_currency;
