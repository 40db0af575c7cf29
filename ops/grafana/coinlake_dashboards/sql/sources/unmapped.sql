-- The largest assets that the map of assets does not name: they cannot be compared across venues.
SELECT source, asset, quote_currency AS currency, name, rank, as_of AS "market time"
FROM coinlake.latest_quotes
WHERE NOT EXISTS (
        SELECT
        FROM coinlake.asset_names AS name
        WHERE name.source = latest_quotes.source
            AND name.venue_asset = latest_quotes.asset
            AND name.since <= latest_quotes.as_of
            AND name.until > latest_quotes.as_of
    )
ORDER BY rank NULLS LAST, source, asset
LIMIT 50
