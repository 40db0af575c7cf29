-- What the venues trade or quote that the map of assets does not name: an instrument when the venue last said
-- so, an asset when it was last priced, for a name may mean another asset before and after its time.
SELECT source, asset, quote_currency, min(instrument) AS instrument, min(status) AS status
FROM (
    SELECT source, coalesce(asset, instrument) AS asset, coalesce(quote_currency, '') AS quote_currency,
        instrument, status, fetched_at AS known_at
    FROM instruments
    UNION ALL
    SELECT source, asset, quote_currency, NULL, NULL, as_of
    FROM latest_quotes
) AS known
WHERE NOT EXISTS (
    SELECT
    FROM asset_names AS name
    WHERE name.source = known.source
        AND name.venue_asset = known.asset
        AND name.since <= known.known_at
        AND name.until > known.known_at
)
GROUP BY source, asset, quote_currency
ORDER BY source, asset, quote_currency;
