-- What the venues trade or quote that the map of assets does not name.
SELECT source, asset, quote_currency, min(instrument) AS instrument, min(status) AS status
FROM (
    SELECT source, coalesce(asset, instrument) AS asset, coalesce(quote_currency, '') AS quote_currency,
        instrument, status
    FROM instruments
    UNION ALL
    SELECT source, asset, quote_currency, NULL, NULL
    FROM latest_quotes
) AS known
WHERE NOT EXISTS (
    SELECT
    FROM asset_names AS name
    WHERE name.source = known.source AND name.venue_asset = known.asset
)
GROUP BY source, asset, quote_currency
ORDER BY source, asset, quote_currency;
